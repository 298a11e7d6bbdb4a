"""Many workers at once: how soon their calls are answered, and that none of them loses its lease or its work.

The load generator runs on the same machine and takes its share of it.
"""

from __future__ import annotations

import asyncio
import math
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from scripts.bench.figures import Figure
from scripts.bench.load.fleet import Fleet
from tests.acceptance.recovery.cast import load_sample, query
from tests.support.stack import Stack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MEASURED_S = 25.0
SETTLE_S = 40.0
ENOUGH = 0.98  # of the workers' trainings: the rest may wait for its turn in the coordinator

# Researches whose strategy is given go straight to their training.
CREATE = """
import time
from research.services import researches
spec = {{
    "name": "Load", "hypothesis": "None.", "data": {{"symbol": "NASDAQ", "timeframe": "1d"}},
    "indicators": {{"rsi14": {{"function": "rsi", "params": {{"period": 14}}}}}},
    "inputs": {{"rsi14": ["low", "mid", "high"]}},
    "rules": [{{"if": {{"rsi14": "low"}}, "then": 0.5}}, {{"if": {{"rsi14": "high"}}, "then": -0.5}}],
}}
for n in range({count}):
    time.sleep({gap})
    researches.create(brief="load", given=spec, seed=n)
"""
_LATE = "SELECT count(*) FROM research_operation WHERE status = 'running' AND lease_expires_at < clock_timestamp()"
_FAILED = "SELECT reason, count(*) FROM research_operation WHERE status = 'failed' GROUP BY reason"


def figures() -> Iterator[Figure]:
    for workers, trainings, ramp in ((200, 200, 4.0), (1000, 500, 25.0)):
        yield from _fleet(workers, trainings, ramp)


def _fleet(workers: int, trainings: int, ramp: float) -> Iterator[Figure]:
    only_backend = ("--training-workers", "0", "--backtest-workers", "0")
    with (
        tempfile.TemporaryDirectory() as folder,
        Stack(Path(folder) / "data", environment={"KTRDR_POSTGRES_OPTIONS": ""}, arguments=only_backend) as stack,
    ):
        load_sample(stack)
        stack.manage("shell", "-c", CREATE.format(count=trainings, gap=0), timeout=300)
        token = stack.manage_json("workers", "create-token", "load")["token"]
        yield from asyncio.run(_measure(stack, token, workers, trainings, ramp))


async def _measure(stack: Stack, token: str, workers: int, trainings: int, ramp: float) -> list[Figure]:
    async with Fleet(stack.port, token, workers, ramp=ramp) as fleet:
        tally = fleet.tally
        await _until(lambda: len(tally.heartbeats) == workers and tally.running >= trainings * ENOUGH, ramp + SETTLE_S)
        await asyncio.sleep(3)  # the pace that the last of them brought about
        web = psutil.Process(stack.pid("web"))
        before, tally.counting, late = sum(web.cpu_times()[:2]), True, 0
        for _ in range(int(MEASURED_S)):
            await asyncio.sleep(1)
            late = max(late, (await asyncio.to_thread(query, stack, _LATE))[0][0])
        tally.counting = False
        share = 100 * (sum(web.cpu_times()[:2]) - before) / MEASURED_S
        ends = await asyncio.to_thread(query, stack, _FAILED)
    told = sorted(set(tally.heartbeats.values()))
    calls = (len(tally.busy) + len(tally.held)) / MEASURED_S
    note = (
        f"{tally.running} of them train, the others hold a call; told to call every {told[0]:.1f} to {told[-1]:.1f} s; "
        f"{calls:.0f} calls/s; web {share:.0f} % of a core; the load generator on the same machine"
    )
    failed = {problem: tally.failed.count(problem) for problem in set(tally.failed)}
    return [
        Figure(f"sync of {workers} workers, busy ones", tally.busy or [math.inf], "s", {"p99": 0.25}, note),
        Figure(f"sync of {workers} workers, idle ones, beyond the hold", tally.held or [0.0], "s", {"p99": 0.25}),
        Figure(f"{workers} workers: calls failed", [float(len(tally.failed))], "", {"worst": 0}, str(failed or "")),
        Figure(f"{workers} workers: leases that ended", [float(late)], "", {"worst": 0}),
        Figure(f"{workers} workers: operations lost", [float(sum(count for _, count in ends) + tally.lost)], "",
               {"worst": 0}, str(dict(ends) or "")),
    ]  # fmt: skip


async def _until(condition: Callable[[], bool], seconds: float) -> None:
    """Go on at the latest after so many seconds: what is missing shows in the figures."""
    end = asyncio.get_running_loop().time() + seconds
    while not condition() and asyncio.get_running_loop().time() < end:  # noqa: ASYNC110  # a tally is no event
        await asyncio.sleep(0.2)
