"""The real engine in real processes, killed at random units: whoever goes on ends with the same bits."""

from __future__ import annotations

import json
import random
import signal
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from ktrdr_site.environment import PROJECT
from research import designers
from workers.agent.children import Child
from workers.agent.messages import Start
from workers.backtest.task import CHUNK
from workers.market.csvfile import read_csv
from workers.protocol import Assignment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TRAINING = {"epochs": 30, "patience": None}
BUSY = {"enter": 0.05, "exit": 0.04}  # trades from the first pieces on, so that there is something to lose
POINTS = {"training": ("training.epoch", 1), "backtest": ("backtest.bar", CHUNK)}  # passed once in so many units


@dataclass(frozen=True)
class Work:
    """An operation: `spec`, input files and the folder its lives are in."""

    kind: str
    spec: dict[str, Any]
    files: dict[str, Path]
    folder: Path

    def live(self, name: str, checkpoint: Path | None = None) -> tuple[int, Path]:
        """One child from start to end; its exit code and its folder of the spool."""
        folder = self.folder / name
        for part in ("checkpoints", "artifacts"):
            (folder / part).mkdir(parents=True)
        codes: list[int] = []
        over = threading.Event()

        def ended(_child: Child, code: int) -> None:
            codes.append(code)
            over.set()

        child = Child([self.kind], lambda _: None, ended)
        order = Assignment(id=1, kind=self.kind, spec=self.spec, seed=7, attempt=1, deadline_s=60)  # type: ignore[arg-type]
        child.begin(Start(order, self.files, checkpoint), folder)
        assert over.wait(60), "the child did not end"
        return codes[0], folder


def result(folder: Path) -> dict[str, Any]:
    """The result without what tells times; artifacts are in it by their SHA-256."""
    outcome = json.loads((folder / "outcome.json").read_bytes())
    assert outcome["state"] == "completed", outcome
    return dict(outcome["result"])


def newest(folder: Path) -> Path:
    return max((folder / "checkpoints").glob("*.ckpt"), key=lambda path: int(path.stem))


@pytest.fixture(scope="module")
def works(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Work, dict[str, Any]]]:
    """Both kinds of work on the shipped data, each with the result of its undisturbed run."""
    folder = tmp_path_factory.mktemp("bits")
    bars, _ = read_csv(PROJECT / "data" / "nasdaq_daily.csv", "NASDAQ", "1d")
    (folder / "bars").write_bytes(bars.to_bytes())
    brief = designers.Brief(text="Follow the trend", symbol="NASDAQ", timeframe="1d", seed=1, memory=())
    strategy = designers.get("evolution").design(brief).spec
    strategy["training"] |= TRAINING
    strategy["decision"] |= BUSY
    spec = {"strategy": strategy, "checkpoint_every_s": 0}
    training = Work("training", spec, {"bars": folder / "bars"}, folder / "training")
    _, trained = training.live("undisturbed")
    model = {"model": trained / "artifacts" / "model.safetensors"}
    backtest = replace(training, kind="backtest", files=training.files | model, folder=folder / "backtest")
    _, traded = backtest.live("undisturbed")
    assert result(traded)["metrics"]["trades"] > 20
    return {"training": (training, result(trained)), "backtest": (backtest, result(traded))}


@pytest.fixture
def kill_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, int], None]:
    """The next children of a kind die by SIGKILL right after so many units (epochs or pieces of the backtest)."""
    monkeypatch.setenv("KTRDR_TESTING", "1")
    monkeypatch.setenv("KTRDR_FAULTS", "")

    def plan(kind: str, passage: int) -> None:
        monkeypatch.setenv("KTRDR_FAULTS", f"{POINTS[kind][0]}=kill@{passage}" if passage else "")

    return plan


@pytest.mark.parametrize("deaths", [1, 2])
@pytest.mark.parametrize(("kind"), [pytest.param("training", marks=pytest.mark.scenario(12)),
                                    pytest.param("backtest", marks=pytest.mark.scenario(13))])  # fmt: skip
def test_killed_at_random_units_it_ends_with_the_same_bits(
    works: dict[str, tuple[Work, dict[str, Any]]], kind: str, deaths: int,
    kill_at: Callable[[str, int], None], tmp_path: Path,
) -> None:  # fmt: skip
    work, expected = works[kind]
    work, dice, checkpoint = replace(work, folder=tmp_path), random.Random(f"{kind} {deaths}"), None
    most = expected["units"] // POINTS[kind][1] // (deaths + 1)
    for number in range(deaths):
        kill_at(kind, dice.randint(2, most))
        code, folder = work.live(f"life-{number}", checkpoint)
        assert code == -signal.SIGKILL
        assert checkpoint is None or int(newest(folder).stem) > int(checkpoint.stem), "it went on from there"
        checkpoint = newest(folder)
    kill_at(kind, 0)
    code, folder = work.live("last", checkpoint)
    assert code == 0
    assert result(folder) == expected
