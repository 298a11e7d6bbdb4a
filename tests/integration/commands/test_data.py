"""`manage.py data`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ktrdr_site.environment import PROJECT
from research.models import Dataset
from research.services import datasets
from tests.integration.commands.calls import answer, refusal, said

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.django_db(transaction=True)
NASDAQ = str(PROJECT / "data" / "nasdaq_daily.csv")
GOOD = "timestamp,open,high,low,close,volume\n2020-01-02,10,11,9,10.5,0\n2020-01-03,10.5,12,10,11,200\n"


def test_a_file_is_loaded_with_a_report_of_its_quality() -> None:
    found = answer("data", "load", NASDAQ, "--symbol", "NASDAQ", "--timeframe", "1d")
    assert found["new"]
    assert found["bars"] == 5031
    assert found["quality"]["bars"] == 5031
    assert {"code", "severity", "count", "lines", "message"} <= set(found["quality"]["findings"][0])
    [row] = answer("data", "list")
    assert {key: row[key] for key in ("id", "symbol", "timeframe", "bars")} == {
        "id": found["id"], "symbol": "NASDAQ", "timeframe": "1d", "bars": 5031,
    }  # fmt: skip


def test_what_is_odd_is_said_in_words(tmp_path: Path) -> None:
    file = tmp_path / "bars.csv"
    file.write_text(GOOD)
    text = said("data", "load", str(file), "--symbol", "ACME", "--timeframe", "1d")
    assert "2 bars of ACME 1d, 2020-01-02 to 2020-01-03, loaded as dataset" in text
    assert "warning: bars without volume: 1 (lines 2)" in text
    again = said("data", "load", str(file), "--symbol", "ACME", "--timeframe", "1d")
    assert "were loaded before" in again
    assert "\x1b" not in text


def test_an_unreadable_file_is_named_with_its_lines_and_nothing_is_stored(tmp_path: Path) -> None:
    file = tmp_path / "bars.csv"
    file.write_text(GOOD + "2020-01-06,nan,1,1,1,1\nyesterday,1,1,1,1,1\n")
    problem = refusal("data", "load", str(file), "--symbol", "ACME", "--timeframe", "1d")
    assert problem.returncode == 2
    lines = str(problem).splitlines()
    assert "line 4: open is not finite" in lines
    assert any(line.startswith("line 5: timestamp 'yesterday' is no date") for line in lines)
    assert not Dataset.objects.exists()


@pytest.mark.parametrize(
    ("more", "what"),
    [
        (("nowhere.csv", "--symbol", "A", "--timeframe", "1d"), "nowhere.csv cannot be read: No such file"),
        ((NASDAQ, "--symbol", "A", "--timeframe", "3d"), "Unknown timeframe '3d'; use one of 1m, 5m"),
        ((NASDAQ, "--symbol", "A B", "--timeframe", "1d"), "'A B' cannot be a symbol"),
        ((NASDAQ, "--symbol", "A"), "required: --timeframe"),
    ],
)
def test_what_cannot_be_loaded_is_refused_with_what_to_do(more: tuple[str, ...], what: str) -> None:
    assert what in str(refusal("data", "load", *more))
    assert not Dataset.objects.exists()


@pytest.mark.parametrize("kind", ["noise", "rule", "momentum"])
def test_bars_are_made_up_the_same_for_the_same_seed(kind: str) -> None:
    found = answer("data", "synth", kind, "--bars", "300", "--seed", "5")
    assert (found["symbol"], found["bars"], found["warnings"]) == (kind.upper(), 300, [])
    assert not answer("data", "synth", kind, "--bars", "300", "--seed", "5")["new"]
    assert answer("data", "synth", kind, "--bars", "300", "--seed", "6")["sha256"] != found["sha256"]


@pytest.mark.parametrize(
    ("more", "what"), [(("--bars", "5"), "5 bars: make between"), (("--seed", "-1"), "must not be negative")]
)
def test_bars_that_cannot_be_made_up_are_refused(more: tuple[str, ...], what: str) -> None:
    assert what in str(refusal("data", "synth", "noise", *more))


def test_damaged_bars_are_found_with_exit_code_1(blob_dir: Path) -> None:
    answer("data", "synth", "noise", "--bars", "200")
    whole = answer("data", "synth", "rule", "--bars", "200")
    assert [row["ok"] for row in answer("data", "check")] == [True, True]
    broken = Dataset.objects.get(symbol="NOISE")
    (blob_dir / broken.blob).write_bytes(b"rot")
    with pytest.raises(SystemExit) as ended:
        said("data", "check")
    assert ended.value.code == 1
    assert answer("data", "check", str(whole["id"]))[0]["ok"]
    assert "Load the file again to mend it" in datasets.check(broken).problem
    assert "There is no dataset 99" in str(refusal("data", "check", "99"))
