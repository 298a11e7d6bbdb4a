"""A backend that outlives the tests of partitions and of cancelling: they disturb networks and workers, never it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.acceptance.recovery.cast import FAST_LEASES, load_sample, query
from tests.support.stack import Stack

if TYPE_CHECKING:
    from collections.abc import Iterator

_UNFINISHED = "SELECT id FROM research_research WHERE state NOT IN ('completed', 'failed', 'cancelled')"


@pytest.fixture(scope="package")
def _backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    alone = ("--training-workers", "0", "--backtest-workers", "0")
    with Stack(tmp_path_factory.mktemp("lasting") / "data", environment=FAST_LEASES, arguments=alone) as stack:
        load_sample(stack)
        yield stack


@pytest.fixture
def backend(_backend: Stack) -> Iterator[Stack]:
    """All of KTRDR but workers, with data loaded and no research active."""
    yield _backend
    for [research] in query(_backend, _UNFINISHED):
        _backend.manage("research", "cancel", str(research))
