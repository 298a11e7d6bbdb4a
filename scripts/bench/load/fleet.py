"""A fleet of workers in one event loop. Each calls as it is told, holds its call while idle, reports while busy."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from scripts.bench.load.http import Connection

HOST = {"hostname": "load", "machine": "load", "pid": 1, "cores": 8, "memory_gib": 32.0, "versions": {"numpy": "2.1"}}
READ_TIMEOUT_S = 5.0  # beyond the hold, as a worker's


@dataclass
class Tally:
    """What the fleet met while `counting`. Times in seconds."""

    counting: bool = False
    busy: list[float] = field(default_factory=list)  # call -> answer, of a worker that runs something
    held: list[float] = field(default_factory=list)  # how much later than the hold asked for an idle call was answered
    failed: list[str] = field(default_factory=list)
    lost: int = 0  # `stop`: the backend took work away
    heartbeats: dict[str, float] = field(default_factory=dict)  # what each worker was told last
    running: int = 0
    given: dict[int, float] = field(default_factory=dict)  # operation -> wall clock when its worker had it


class LoadWorker:
    """One worker: hand-shake, then a call each heartbeat; a training it is given makes an epoch a heartbeat."""

    def __init__(self, name: str, connection: Connection, tally: Tally) -> None:
        self._connection, self._tally, self._name = connection, tally, name
        self._identity = {"worker": name, "incarnation": str(uuid4()), "kinds": ["training"], "host": HOST}
        self._session: int | None = None
        self._seq, self._unit = 0, 0
        self._operation: int | None = None
        self._heartbeat = 1.0

    async def run(self, begin_after: float) -> None:
        await asyncio.sleep(begin_after)
        while True:
            started = time.perf_counter()
            wait = self._heartbeat if self._session is not None and self._operation is None else 0.0
            soon = await self._call(wait)
            left = self._heartbeat - (time.perf_counter() - started)
            await asyncio.sleep(0 if soon else max(left, 0))

    async def _call(self, wait: float) -> bool:
        """One call. True when the next one is due at once."""
        body = self._identity | {"session": self._session, "seq": self._seq, "wait": wait, "operations": self._report()}
        self._seq += 1
        started = time.perf_counter()
        try:
            async with asyncio.timeout(wait + READ_TIMEOUT_S):
                status, answer = await self._connection.post(body)
        except (OSError, EOFError, TimeoutError, ValueError) as trouble:
            self._connection.close()
            self._note_failure(f"{type(trouble).__name__} {trouble}")
            await asyncio.sleep(0.1 * random.random())  # noqa: S311  # jitter
            return True
        if status != 200:
            self._note_failure(f"{status} {answer}")
            return False
        self._note(time.perf_counter() - started, wait, answer)
        return self._take(answer)

    def _report(self) -> list[dict[str, Any]]:
        if self._operation is None:
            return []
        self._unit += 1
        progress = {"unit": self._unit, "units": 100_000, "fraction": self._unit / 100_000, "message": "fold 1 of 1"}
        metrics = [{"unit": self._unit, "values": {"loss": 0.69, "validation_loss": 0.7, "fold": 0, "seed": 0}}]
        return [{"id": self._operation, "state": "running", "progress": progress, "metrics": metrics}]

    def _take(self, answer: dict[str, Any]) -> bool:
        first, self._session = self._session is None, answer["session"]
        self._heartbeat = self._tally.heartbeats[self._name] = answer["heartbeat"]
        if any(one["verdict"] == "stop" for one in answer["operations"]):
            self._tally.lost += 1
            self._tally.running -= 1
            self._operation = None
        given = answer["assignment"]
        if given is not None and given["id"] != self._operation:
            self._operation, self._unit = int(given["id"]), 0
            self._tally.running += 1
            self._tally.given[self._operation] = time.time()
            return True
        return first

    def _note(self, seconds: float, wait: float, answer: dict[str, Any]) -> None:
        if not self._tally.counting:
            return
        if self._operation is not None:
            self._tally.busy.append(seconds)
        elif wait and answer["assignment"] is None:
            self._tally.held.append(max(0.0, seconds - wait))

    def _note_failure(self, what: str) -> None:
        if self._tally.counting:
            self._tally.failed.append(what)


class Fleet:
    """`async with Fleet(port, token, 200) as fleet:` - started over `ramp` seconds, ended with the block."""

    def __init__(self, port: int, token: str, count: int, *, prefix: str = "load", ramp: float = 3.0) -> None:
        self.tally = Tally()
        self._workers = [LoadWorker(f"{prefix}-{n}", Connection(port, token), self.tally) for n in range(1, count + 1)]
        self._ramp = ramp
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Fleet:
        step = self._ramp / max(len(self._workers), 1)
        self._tasks = [asyncio.create_task(one.run(n * step)) for n, one in enumerate(self._workers)]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for one in self._workers:
            one._connection.close()  # noqa: SLF001
