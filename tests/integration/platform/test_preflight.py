"""What `manage.py up` looks at first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ktrdr_site.supervisor import backoff
from ktrdr_site.supervisor.errors import NoRoom
from ktrdr_site.supervisor.preflight import check_disk, make_folders

if TYPE_CHECKING:
    from pathlib import Path


def test_a_full_disk_is_said_with_its_figures(tmp_path: Path) -> None:
    check_disk(tmp_path, needed_mib=1)
    with pytest.raises(NoRoom, match=r"is full: \d+ MiB free, 1099511627776 needed"):
        check_disk(tmp_path, needed_mib=2**40)


def test_a_data_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NoRoom, match="cannot be written: Not a directory"):
        make_folders(tmp_path / "file" / "data")


def test_what_dies_is_started_at_once_and_then_ever_later() -> None:
    assert [backoff.delay(deaths) for deaths in range(1, 9)] == [0, 0.5, 1, 2, 4, 8, 10, 10]
    assert backoff.delay(10_000) == 10


def test_half_a_minute_of_life_makes_earlier_deaths_forgotten() -> None:
    assert backoff.deaths_in_a_row(7, uptime=29.9) == 8
    assert backoff.deaths_in_a_row(7, uptime=30.0) == 1
