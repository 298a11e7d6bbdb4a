"""A kill between any two writes: at every named fault point once, and the results are those of undisturbed runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from research import designers
from tests.acceptance.faults.points import named
from tests.acceptance.recovery.cast import (
    FAST_LEASES,
    MARKET,
    SAMPLE,
    completed,
    load_sample,
    query,
    start,
    tries,
    write_json,
)
from tests.chaos.judge import cases, differences
from tests.support.stack import Stack
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.acceptance

LOADING = {"dataset.bytes_written", "dataset.renamed"}  # passed by the command that loads data, not while all runs
UPLOADS = {
    f"{what}.{where}" for what in ("checkpoint", "artifact") for where in ("bytes_written", "renamed", "committed")
}
SETTINGS = FAST_LEASES | {"KTRDR_MAX_ORPHANS": "1000"}
WORKERS = ("--training-workers", "3", "--backtest-workers", "2")
EPOCHS = ("--set", "training.epochs=80", "--set", "training.patience=null")
LONGER = ("--set", "training.epochs=1000", "--set", "training.batch_size=64", "--set", "training.patience=null")


def test_a_kill_at_every_fault_point_changes_nothing_of_what_comes_out(tmp_path: Path) -> None:
    points = named() - LOADING
    with Stack(tmp_path / "data", environment=SETTINGS | _kills(points, tmp_path), arguments=WORKERS) as stack:
        load_sample(stack)
        stack.manage("research", "start", "Follow the trend", *MARKET, *EPOCHS, "--seed", "1", "--count", "5")
        wait_until(lambda: _unfinished(stack) == [], timeout=300, what="every research is complete")
        walked, found = _walked(tmp_path), cases(stack)
        deep = stack.manage("recovery", "check", "--deep", check=False)

    assert walked == points
    assert deep.returncode == 0, deep.stdout
    assert not differences(found)


def test_a_web_process_that_dies_at_every_write_of_an_upload_loses_no_byte_of_it(tmp_path: Path) -> None:
    """With a strategy given there is no design, so that each of these points is first passed by a web process."""
    with Stack(tmp_path / "data", environment=SETTINGS | _kills(UPLOADS, tmp_path)) as stack:
        load_sample(stack)
        research = start(stack, *LONGER, "--strategy", str(_strategy(tmp_path)))
        shown = completed(stack, research, timeout=300)
        walked, found = _walked(tmp_path), cases(stack)
        deep = stack.manage("recovery", "check", "--deep", check=False)

    assert walked == UPLOADS
    assert tries(shown, "training") == [("completed", "")], "the worker lives on: nothing is to be taken over"
    assert deep.returncode == 0, deep.stdout
    assert not differences(found)


def test_data_whose_loading_was_killed_loads_again(tmp_path: Path) -> None:
    with Stack(tmp_path / "data", environment=SETTINGS, arguments=("--no-research",)) as stack:
        calm = dict(stack.environment)
        stack.environment |= _kills(LOADING, tmp_path)
        for _ in LOADING:
            assert stack.manage("data", "load", str(SAMPLE), *MARKET, check=False).returncode == -9
        assert _walked(tmp_path) == LOADING
        stack.environment = calm
        load_sample(stack)
        checked = stack.manage("data", "check", check=False)

    assert checked.returncode == 0, checked.stdout + checked.stderr


def _unfinished(stack: Stack) -> list[str]:
    """The states of all researches that are not complete; something while the database is away."""
    states = [state for (state,) in query(stack, "SELECT state FROM research_research")]
    assert "failed" not in states, query(stack, "SELECT id, message FROM research_research WHERE state = 'failed'")
    return [state for state in states if state != "completed"] if states else ["unknown"]


def _strategy(folder: Path) -> Path:
    brief = designers.Brief(text="Follow the trend", symbol=MARKET[1], timeframe=MARKET[3], seed=3, memory=())
    return write_json(folder / "strategy.json", designers.get("evolution").design(brief))


def _kills(points: set[str], folder: Path) -> dict[str, str]:
    """A kill at each of these points, once over all processes."""
    faults = folder / "faults"
    faults.mkdir()
    return {"KTRDR_FAULTS": ",".join(f"{point}=kill" for point in sorted(points)), "KTRDR_FAULTS_DIR": str(faults)}


def _walked(folder: Path) -> set[str]:
    return {marker.name for marker in (folder / "faults").iterdir()}
