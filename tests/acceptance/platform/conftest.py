"""A running `manage.py up` with database and web: the platform alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.stack import Stack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Stack]:
    with Stack(tmp_path / "data of mine", arguments=["--no-research"]) as stack:
        yield stack


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One platform for all tests of a module that leave it running."""
    with Stack(tmp_path_factory.mktemp("lasting") / "data of mine", arguments=["--no-research"]) as stack:
        yield stack
