"""The course of a chaos run: begin, strike while there is work, let it come to rest, judge."""

from __future__ import annotations

import subprocess
import threading
import time
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

from ktrdr_site.processes import dies_with_parent
from tests.acceptance.recovery.cast import MARKET, load_sample, query
from tests.chaos import figures, judge
from tests.chaos.stage import Stage
from tests.chaos.strikes import Striker
from tests.support.stack import MANAGE, forget_socket_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tests.chaos.plan import Plan

TICK_S = 0.1
_COUNTS = "SELECT count(*) FILTER (WHERE state <> 'completed'), count(*) FROM research_research"
_RUNNING = "SELECT count(*) FROM research_operation WHERE status = 'running'"
_FINGERPRINT = """SELECT (SELECT count(*) FROM research_operation), (SELECT sum(unit) FROM research_operation),
  (SELECT count(*) FROM research_operation WHERE status IN ('queued', 'running')),
  (SELECT string_agg(state, ',' ORDER BY id) FROM research_research)"""


@dataclass(slots=True)
class Outcome:
    """`broken` says what did not hold; empty when everything did."""

    plan: Plan
    root: Path
    broken: list[str] = field(default_factory=list)
    researches: int = 0
    kills: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    figures: figures.Figures | None = None


class Course:
    """One run. `say` takes a line now and then; `extra` is added to KTRDR's environment."""

    def __init__(
        self, plan: Plan, root: Path, *, say: Callable[[str], None] = lambda _: None,
        extra: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        self.plan, self.say = plan, say
        root.mkdir(parents=True, exist_ok=True)
        self.stage = Stage(root, plan, extra)
        self.outcome = Outcome(plan, root)
        self.random = Random(plan.seed)
        self.striker = Striker(self.stage, plan, self.random)
        self._clock = threading.Event()  # never set: a pause that a signal can end
        self._creating: subprocess.Popen[bytes] | None = None
        self._batches = 0

    def run(self) -> Outcome:
        started = time.monotonic()
        with self.stage:
            load_sample(self.stage.stack)
            self._begin_batch()
            self._timed("up", started)
            self._disturb()
            rest = time.monotonic()
            self._rest()
            self._timed("rest", rest)
            found = self._judge()
            self._close()
        compared = time.monotonic()
        self.outcome.broken += judge.differences(found)
        self._timed("references", compared)
        self._timed("all", started)
        return self.outcome

    def _timed(self, what: str, since: float) -> None:
        self.outcome.seconds[what] = time.monotonic() - since

    # --- while it rages

    def _disturb(self) -> None:
        started = time.monotonic()
        due = time.monotonic() + 1.0
        while self.striker.kills < self.plan.kills:
            self._tick()
            if time.monotonic() < due or not self._worth_it(due):
                continue
            before = self.striker.kills
            self.striker.strike()
            due = time.monotonic() + min(self.random.expovariate(1 / self.plan.pace), 4 * self.plan.pace)
            if self.striker.kills // 25 > before // 25:
                self.say(f"{self.striker.kills} kills, {len(self.striker.strikes)} strikes, {self._standing()}")
        self._timed("strikes", started)

    def _tick(self) -> None:
        self._clock.wait(TICK_S)
        self.stage.keep()
        self.striker.thaw()
        if self._creating is not None and self._creating.poll() is not None:
            self._creating = None

    def _worth_it(self, due: float) -> bool:
        """Strike what works: while nothing runs, wait a while, and have more to do when little is left."""
        left, _ = (query(self.stage.stack, _COUNTS) or [(None, None)])[0]
        if left is not None and left < max(2, self.plan.together // 2):
            self._begin_batch()
        patient = time.monotonic() < due + 10 * self.plan.pace
        running = query(self.stage.stack, _RUNNING)
        return bool(running and running[0][0]) or not patient

    def _begin_batch(self) -> None:
        """Start as many researches together as the plan says; one command at a time, in the background."""
        if self._creating is not None:
            return
        self._batches += 1
        seed = self.plan.seed * 1000 + self._batches * 50
        options = ["--count", str(self.plan.together), "--seed", str(seed)]
        options += ["--set", f"training.epochs={self.plan.epochs}", "--set", "training.patience=null"]
        with (self.stage.root / "start.log").open("ab") as log:
            self._creating = subprocess.Popen(
                [*MANAGE, "research", "start", f"Chaos {self._batches}", *MARKET, *options],
                env=self.stage.stack.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                preexec_fn=dies_with_parent(),
            )  # fmt: skip

    def _standing(self) -> str:
        rows = query(self.stage.stack, "SELECT state, count(*) FROM research_research GROUP BY state ORDER BY state")
        return ", ".join(f"{count} {state}" for state, count in rows) or "the database is away"

    # --- afterwards

    def _rest(self) -> None:
        """Strike no more, and wait until everything is complete, or nothing has changed for too long."""
        self.striker.thaw(all_of_them=True)
        self.say(f"no more strikes after {self.striker.kills} kills: {self._standing()}")
        seen, since = None, time.monotonic()
        while time.monotonic() - since < self.plan.stuck_after:
            self._tick()
            counts = query(self.stage.stack, _COUNTS)
            if counts and counts[0][0] == 0 and counts[0][1] and self._creating is None:
                return
            now = query(self.stage.stack, _FINGERPRINT)
            if now and now != seen:
                seen, since = now, time.monotonic()
            if query(self.stage.stack, "SELECT 1 FROM research_research WHERE state = 'failed'"):
                break
        self.outcome.broken += ["not every research is complete", *judge.unfinished(self.stage.stack)]

    def _judge(self) -> list[dict[str, Any]]:
        stack, root = self.stage.stack, self.stage.root
        self.outcome.broken += judge.invariants(stack)
        found = judge.cases(stack)
        self.outcome.researches, self.outcome.kills = len(found), self.striker.kills
        logs = [*(stack.data_dir / "logs").glob("*.log"), *root.glob("*.log"), *root.glob("far-*/*.log")]
        logs = sorted(log for log in logs if not log.name.startswith("postgres"))
        self.outcome.figures = figures.gather(stack, self.striker.strikes, logs)
        return found

    def _close(self) -> None:
        try:
            self.stage.close()
        except AssertionError as left:
            names = [f"{one.pid} {' '.join(one.cmdline())[:120]}" for one in self.stage.processes()]
            self.outcome.broken.append(f"{left}; left: {names}")
        forget_socket_folder(self.stage.stack.data_dir)
