"""Workers: what checkpoints cost a training, and how long it stands still when its worker or its host is lost."""

from __future__ import annotations

import json
import os
import signal
import tempfile
import threading
import time
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from ktrdr_site.environment import PROJECT
from research import designers
from scripts.bench.figures import Figure
from tests.acceptance.recovery.cast import OutsideWorker, load_sample, query, start, wait_checkpoint, wait_running
from tests.support.stack import Stack
from tests.support.waiting import wait_until
from workers.agent.children import Child
from workers.agent.messages import Start, Told
from workers.market.csvfile import read_csv
from workers.protocol import Assignment

if TYPE_CHECKING:
    from collections.abc import Iterator

PAIRS, DEATHS, HOSTS = 12, 10, 6
TRAINING = {"epochs": 500, "patience": None}  # some 2 s
ENDLESS = ("--set", "training.epochs=20000", "--set", "training.patience=null")
NEVER = 1e9
_IDLE = "SELECT 1 FROM research_worker WHERE idle AND last_seen_at > clock_timestamp() - interval '1.5 s'"
_RUNS_ON = "SELECT w.name FROM research_operation o JOIN research_worker w ON w.id = o.worker_id WHERE o.id = %s"


def figures() -> Iterator[Figure]:
    yield from _checkpoints()
    yield from _deaths()
    yield from _hosts()


def _checkpoints() -> Iterator[Figure]:
    """The same training in the real child process, with and without checkpoints, by turns."""
    with tempfile.TemporaryDirectory() as folder:
        bars, _ = read_csv(PROJECT / "data" / "nasdaq_daily.csv", "NASDAQ", "1d")
        (Path(folder) / "bars").write_bytes(bars.to_bytes())
        _seconds(Path(folder) / "warm", NEVER)
        ratios, redone = [], []
        for pair in range(PAIRS):
            order: tuple[float | None, ...] = (None, NEVER) if pair % 2 else (NEVER, None)
            taken = {every: _seconds(Path(folder) / f"{pair}-{every}", every) for every in order}
            ratios.append(100 * (taken[None][0] / taken[NEVER][0] - 1))
            redone += taken[None][1]
    note = f"{len(bars.time)} bars, {_units()} epochs, against the same run without"
    yield Figure("checkpoints of a training, time added", ratios, "%", {"p50": 5.0}, note)
    yield Figure(
        "work a crash of the process costs: time between two checkpoints", redone, note="at most, and the epoch in hand"
    )


def _units() -> int:
    return int(TRAINING["epochs"] or 0) * 8


def _seconds(folder: Path, every: float | None) -> tuple[float, list[float]]:
    """Seconds a training takes, and those between its checkpoints. `every` None: as workers do."""
    for part in ("checkpoints", "artifacts"):
        (folder / part).mkdir(parents=True)
    over, noted = threading.Event(), []

    def said(told: Told) -> None:
        if told.checkpoint is not None:
            noted.append(time.perf_counter())

    child = Child(["training"], said, lambda _child, _code: over.set())
    child.ready.wait(60)
    spec: dict[str, Any] = {"strategy": _strategy()} | ({} if every is None else {"checkpoint_every_s": every})
    order = Assignment(id=1, kind="training", spec=spec, seed=7, attempt=1, deadline_s=600)
    began = time.perf_counter()
    child.begin(Start(order, {"bars": folder.parent / "bars"}), folder)
    over.wait(600)
    taken = time.perf_counter() - began
    if json.loads((folder / "outcome.json").read_bytes())["state"] != "completed":
        raise RuntimeError(f"the training of the benchmark failed: {child.log_tail}")
    return taken, [later - earlier for earlier, later in pairwise(noted)]


def _strategy() -> dict[str, Any]:
    brief = designers.Brief(text="Follow the trend", symbol="NASDAQ", timeframe="1d", seed=3, memory=())
    designed = designers.get("evolution").design(brief)
    spec = dict(designed.spec)
    return spec | {"training": {**spec["training"], **TRAINING}}


def _deaths() -> Iterator[Figure]:
    """SIGKILL of a worker below the supervisor in one long training. All is started anew before each, because the
    supervisor waits longer after each death of a row, and this is about the first."""
    taken = []
    with tempfile.TemporaryDirectory() as folder:
        stack = Stack(Path(folder) / "data")
        stack.start()
        load_sample(stack)
        research = start(stack, *ENDLESS)
        for number in range(DEATHS):
            if number:
                stack.stop()
                stack.start()
            operation = wait_running(stack, research, "training")
            wait_checkpoint(stack, operation)
            began = time.perf_counter()
            stack.kill("local-training-1")
            taken.append(_goes_on(stack, research, operation) - began)
        stack.stop()
    note = "the supervisor restarts it; default settings, seen in the database, looked at every 20 ms"
    yield Figure("training worker killed, until another start of it is past its checkpoint", taken, "s", {"p50": 2.0},
                 note=note)  # fmt: skip


def _hosts() -> Iterator[Figure]:
    """Two hosts by turns: the one that trains freezes with all its processes, the other takes over, the first is back
    (left frozen, several would seem to be silent together: then the network is blamed and no lease ends for a while).
    """
    taken = []
    with tempfile.TemporaryDirectory() as name, ExitStack() as running:
        folder = Path(name)
        none = ("--training-workers", "0", "--backtest-workers", "0")
        stack = running.enter_context(Stack(folder / "data", arguments=none))
        load_sample(stack)
        hosts = [OutsideWorker(stack, f"host-{letter}", "training", folder / letter) for letter in "ab"]
        for host in hosts:
            running.enter_context(host)
        research = start(stack, *ENDLESS)
        for _ in range(HOSTS):
            operation = wait_running(stack, research, "training")
            wait_checkpoint(stack, operation)
            wait_until(lambda: query(stack, _IDLE), timeout=60, what="the other host is idle")
            [[busy]] = query(stack, _RUNS_ON, operation)
            lost = next(host for host in hosts if host.name == busy)
            began = time.perf_counter()
            _signal(lost, signal.SIGSTOP)
            taken.append(_goes_on(stack, research, operation) - began)
            _signal(lost, signal.SIGCONT)
    goals = {"p50": 8.0, "worst": 10.0}
    note = "SIGSTOP of its tree; default settings, another worker idle"
    yield Figure("host of a training worker lost, until another is past its checkpoint", taken, "s", goals, note)


def _signal(worker: OutsideWorker, number: int) -> None:
    if worker.process is None:
        raise RuntimeError(f"{worker.name} does not run")
    main = psutil.Process(worker.process.pid)
    for process in (main, *main.children(recursive=True)):
        os.kill(process.pid, number)


def _goes_on(stack: Stack, research: int, lost: int) -> float:
    """The moment at which a later operation has come further than the checkpoint it began from."""
    sql = """SELECT 1 FROM research_operation WHERE research_id = %s AND kind = 'training' AND status = 'running'
             AND id > %s AND unit > coalesce(resumed_from_unit, 0)"""
    wait_until(lambda: query(stack, sql, research, lost), timeout=60, what="training goes on", interval=0.02)
    return time.perf_counter()
