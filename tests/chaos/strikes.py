"""What chaos does: kill, freeze, cut off, end a session. Each strike is written down before it happens."""

from __future__ import annotations

import json
import os
import signal
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from tests.acceptance.recovery.cast import query
from tests.chaos.falls import Falls
from tests.chaos.frozen import Frozen
from tests.chaos.proxy import MODES
from tests.chaos.victims import Victim, look

if TYPE_CHECKING:
    from tests.chaos.orders import Order
    from tests.chaos.stage import Stage

_SESSIONS = """SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
               AND datname = current_database() ORDER BY backend_start"""
_BUSY = """SELECT o.runner_pid, w.name FROM research_operation o LEFT JOIN research_worker w ON w.id = o.worker_id
           WHERE o.status = 'running'"""


@dataclass(frozen=True, slots=True)
class Strike:
    """`at`: seconds since the epoch, by this host's clock, which is the database's, too. `number`: of its order."""

    at: float
    number: int
    action: str  # kill, term, freeze, host, cut, stall, delay, session, power cut, suspend
    kind: str
    pid: int = 0
    below: tuple[int, ...] = ()
    worker: str = ""
    seconds: float = 0.0

    @property
    def is_kill(self) -> bool:
        return self.action in {"kill", "power cut"}


class Striker:
    """`carry_out()` does one thing, if there is somebody to do it to."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.strikes: list[Strike] = []
        self.frozen, self.falls = Frozen(), Falls()
        self.ordered = 0

    @property
    def kills(self) -> int:
        return sum(one.is_kill for one in self.strikes)

    def carry_out(self, order: Order) -> None:
        self.ordered += 1
        if order.action in MODES:
            self._disturb(order)
        elif order.action == "session":
            self._end_session(order)
        elif victim := self._find(order):
            self._strike(order, victim)

    def calm(self) -> None:
        """Wake the frozen, and end every disturbance of the network."""
        self.frozen.thaw()
        for proxy in self.stage.proxies.values():
            proxy.calm()

    def _strike(self, order: Order, victim: Victim) -> None:
        all_of_them = (victim.pid, *victim.below)
        if order.action in {"freeze", "host", "suspend"}:
            pids = (victim.pid,) if order.action == "freeze" else all_of_them
            if not self.frozen.any_of(pids):
                self._note(order, victim.kind, victim, order.seconds)
                self.frozen.freeze(pids, order.seconds)
            return
        self._note(order, victim.kind, victim)
        if order.action == "term":
            _send(victim.pid, signal.SIGTERM)
            return
        self.falls.expect(victim.kind, victim.below)
        for pid in all_of_them if order.action == "power cut" else (victim.pid,):
            _send(pid, signal.SIGKILL)

    def _disturb(self, order: Order) -> None:
        worker = order.choose(sorted(self.stage.proxies))
        self._note(order, "network", Victim("network", 0, worker=worker), order.seconds)
        self.stage.proxies[worker].disturb(order.action, order.seconds)

    def _end_session(self, order: Order) -> None:
        sessions = query(self.stage.stack, _SESSIONS)
        if sessions:
            [pid] = order.choose(sessions)
            self._note(order, "session", Victim("session", pid))
            query(self.stage.stack, "SELECT pg_terminate_backend(%s)", pid)

    def _find(self, order: Order) -> Victim | None:
        there = look(self.stage)
        kind = next((kind for kind in order.kinds if kind in there), None)
        if kind is None:
            return None
        busy = self._busy(there[kind]) if order.busy else []
        return order.choose(busy or there[kind])

    def _busy(self, victims: list[Victim]) -> list[Victim]:
        """Those that work on an operation now."""
        rows = query(self.stage.stack, _BUSY)
        pids, workers = {row[0] for row in rows}, {row[1] for row in rows}
        return [one for one in victims if one.pid in pids or (one.worker and one.worker in workers)]

    def _note(self, order: Order, kind: str, victim: Victim, seconds: float = 0.0) -> None:
        strike = Strike(
            time.time(), self.ordered, order.action, kind, victim.pid, victim.below, victim.worker, seconds
        )  # fmt: skip
        self.strikes.append(strike)
        with (self.stage.root / "strikes.jsonl").open("a") as log:
            log.write(json.dumps(asdict(strike)) + "\n")


def _send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
