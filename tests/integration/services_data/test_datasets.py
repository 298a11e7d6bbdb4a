"""Loading bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from research.models import Dataset, Event
from research.services import datasets
from research.services.errors import Invalid
from tests.integration.services_data import rows

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.django_db(transaction=True)
HEADER = "timestamp,open,high,low,close,volume\n"
GOOD = HEADER + "2020-01-02,10,11,9,10.5,100\n2020-01-03,10.5,12,10,11,200\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "bars.csv"
    path.write_text(GOOD)
    return path


def test_a_file_becomes_a_row_and_bars_that_can_be_read(file: Path) -> None:
    loaded = datasets.load_file(file, symbol="ACME", timeframe="1d", note="from the exchange", user="ada")
    row = loaded.dataset
    assert loaded.new
    assert (row.bars, row.source, row.note) == (2, "bars.csv", "from the exchange")
    assert (row.first_at.isoformat(), row.last_at.isoformat()) == (
        "2020-01-02T00:00:00+00:00",
        "2020-01-03T00:00:00+00:00",
    )
    assert row.quality["bars"] == 2
    assert datasets.read(row).close.tolist() == [10.5, 11.0]
    assert datasets.check(row).problem == ""
    assert Event.objects.get(code="dataset.loaded").user == "ada"


def test_one_bar_is_enough(file: Path) -> None:
    file.write_text(HEADER + "2020-01-02,10,11,9,10.5,100\n")
    assert datasets.load_file(file, symbol="ACME", timeframe="1d").dataset.bars == 1


def test_the_same_data_again_is_the_same_row(file: Path) -> None:
    first = datasets.load_file(file, symbol="ACME", timeframe="1d")
    again = datasets.load_file(file, symbol="ACME", timeframe="1d")
    assert (again.new, again.dataset.pk) == (False, first.dataset.pk)
    other = datasets.load_file(file, symbol="OTHER", timeframe="1d")
    assert other.new
    assert Event.objects.filter(code="dataset.loaded").count() == 2


def test_bad_lines_are_named_and_nothing_is_stored(file: Path, blob_dir: Path) -> None:
    file.write_text(GOOD + "2020-01-01,1,1,1,1,1\n2020-01-06,1,nan,1,1,1\n")
    with pytest.raises(Invalid) as caught:
        datasets.load_file(file, symbol="ACME", timeframe="1d")
    assert "line 4: is earlier than the line before" in str(caught.value)
    assert "line 5: high is not finite" in str(caught.value)
    assert caught.value.exit_code == 2
    assert not Dataset.objects.exists()
    assert not blob_dir.exists()


@pytest.mark.parametrize(
    ("symbol", "timeframe", "what"), [("", "1d", "symbol"), ("a/b", "1d", "symbol"), ("A", "2d", "timeframe")]
)
def test_names_that_cannot_be_are_refused(file: Path, symbol: str, timeframe: str, what: str) -> None:
    with pytest.raises(Invalid, match=what):
        datasets.load_file(file, symbol=symbol, timeframe=timeframe)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="cannot be read: No such file"):
        datasets.load_file(tmp_path / "none.csv", symbol="ACME", timeframe="1d")


def test_damaged_bars_are_found_and_a_new_load_mends_them(file: Path, blob_dir: Path) -> None:
    row = datasets.load_file(file, symbol="ACME", timeframe="1d").dataset
    (blob_dir / row.blob).write_bytes(b"rot")
    assert "is damaged" in datasets.check(row).problem
    datasets.load_file(file, symbol="ACME", timeframe="1d")
    assert datasets.check(row).problem == ""


def test_a_row_that_says_something_else_than_its_bars_is_found() -> None:
    row = rows.dataset()
    Dataset.objects.update(bars=5)
    row.refresh_from_db()
    assert "The row says" in datasets.check(row).problem
