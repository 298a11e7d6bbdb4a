"""A blob folder of its own for every test of a folder: import `blob_dir` in its conftest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_django.fixtures import SettingsWrapper


@pytest.fixture(autouse=True)
def blob_dir(settings: SettingsWrapper, tmp_path: Path) -> Path:
    folder = tmp_path / "blobs"
    blobs = settings.STORAGES["blobs"] | {"OPTIONS": {"location": folder}}
    settings.STORAGES = settings.STORAGES | {"blobs": blobs}
    return folder
