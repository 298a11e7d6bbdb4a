"""What chaos does: kill, freeze, cut off, end a session. Each strike is written down before it happens."""

from __future__ import annotations

import json
import os
import signal
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import psutil

from tests.acceptance.recovery.cast import query
from tests.chaos.plan import NEVER_FROZEN, WEIGHTS
from tests.chaos.proxy import MODES
from tests.chaos.victims import Victim, look

if TYPE_CHECKING:
    from random import Random

    from tests.chaos.plan import Plan
    from tests.chaos.stage import Stage

_SESSIONS = """SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
               AND datname = current_database() ORDER BY backend_start"""
_BUSY = """SELECT o.runner_pid, w.name FROM research_operation o LEFT JOIN research_worker w ON w.id = o.worker_id
           WHERE o.status = 'running'"""


@dataclass(frozen=True, slots=True)
class Strike:
    """`at`: seconds since the epoch, by this host's clock, which is the database's, too."""

    at: float
    action: str  # kill, freeze, cut, stall, delay, session
    kind: str
    pid: int = 0
    below: tuple[int, ...] = ()
    worker: str = ""
    seconds: float = 0.0


class Striker:
    """`strike()` does one thing; `thaw()` wakes those whose time has come."""

    def __init__(self, stage: Stage, plan: Plan, random: Random) -> None:
        self.stage, self.plan, self.random = stage, plan, random
        self.strikes: list[Strike] = []
        self._frozen: list[tuple[float, int]] = []

    @property
    def kills(self) -> int:
        return sum(one.action == "kill" for one in self.strikes)

    def strike(self) -> None:
        lot = self.random.random()
        others = (
            (self.plan.freezes, self._freeze),
            (self.plan.cuts, self._cut),
            (self.plan.sessions, self._end_session),
            (self.plan.power_cuts, self._cut_power),
        )
        for share, act in others:
            if lot < share:
                return act()
            lot -= share
        return self._kill()

    def thaw(self, *, all_of_them: bool = False) -> None:
        """Wake the frozen; all of them also ends every disturbance of the network."""
        now = time.monotonic()
        due = [pid for until, pid in self._frozen if all_of_them or until <= now]
        self._frozen = [(until, pid) for until, pid in self._frozen if pid not in due]
        for pid in due:
            _send(pid, signal.SIGCONT)
        if all_of_them:
            for proxy in self.stage.proxies.values():
                proxy.calm()

    def _kill(self) -> None:
        victim = self._draw()
        if victim is not None:
            self._note(Strike(time.time(), "kill", victim.kind, victim.pid, victim.below, victim.worker))
            _send(victim.pid, signal.SIGKILL)

    def _freeze(self) -> None:
        victim, seconds = self._draw(NEVER_FROZEN), self.random.uniform(0.3, self.plan.longest_freeze)
        if victim is None or victim.pid in {pid for _, pid in self._frozen}:
            return
        self._note(Strike(time.time(), "freeze", victim.kind, victim.pid, (), victim.worker, seconds))
        self._frozen.append((time.monotonic() + seconds, victim.pid))
        _send(victim.pid, signal.SIGSTOP)

    def _cut(self) -> None:
        worker, mode = self.random.choice(sorted(self.stage.proxies)), self.random.choice(MODES)
        seconds = self.random.uniform(0.3, self.plan.longest_cut)
        self._note(Strike(time.time(), mode, "network", 0, (), worker, seconds))
        self.stage.proxies[worker].disturb(mode, seconds)

    def _end_session(self) -> None:
        sessions = query(self.stage.stack, _SESSIONS)
        if sessions:
            [pid] = self.random.choice(sessions)
            self._note(Strike(time.time(), "session", "session", pid))
            query(self.stage.stack, "SELECT pg_terminate_backend(%s)", pid)

    def _cut_power(self) -> None:
        supervisor = next(iter(look(self.stage).get("supervisor", [])), None)
        if supervisor is not None:
            self._note(Strike(time.time(), "kill", "everything", supervisor.pid, supervisor.below))
            for pid in (supervisor.pid, *supervisor.below):
                _send(pid, signal.SIGKILL)

    def _draw(self, without: tuple[str, ...] = ()) -> Victim | None:
        there = look(self.stage)
        kinds = [kind for kind in WEIGHTS if kind in there and kind not in without]
        if not kinds:
            return None
        [kind] = self.random.choices(kinds, [WEIGHTS[kind] for kind in kinds])
        busy = self._busy(there[kind]) if self.random.random() < self.plan.aim else []
        return self.random.choice(busy or there[kind])

    def _busy(self, victims: list[Victim]) -> list[Victim]:
        """Those that work on an operation now."""
        rows = query(self.stage.stack, _BUSY)
        pids, workers = {row[0] for row in rows}, {row[1] for row in rows}
        return [one for one in victims if one.pid in pids or (one.worker and one.worker in workers)]

    def _note(self, strike: Strike) -> None:
        self.strikes.append(strike)
        with (self.stage.root / "strikes.jsonl").open("a") as log:
            log.write(json.dumps(asdict(strike)) + "\n")


def _send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, psutil.NoSuchProcess):
        os.kill(pid, number)
