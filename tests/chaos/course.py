"""The course of a chaos run: begin, strike while there is work, let it come to rest, judge."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.acceptance.recovery.cast import load_sample, query
from tests.chaos import figures, judge
from tests.chaos.batches import Batches
from tests.chaos.orders import orders
from tests.chaos.pace import Pace, standing
from tests.chaos.stage import Stage
from tests.chaos.strikes import Striker
from tests.support.stack import forget_socket_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tests.chaos.plan import Plan

TICK_S = 0.05
TOLD_EVERY = 25  # kills


@dataclass(slots=True)
class Outcome:
    """`broken` says what did not hold, `duplicates` what was done twice to effect; both empty when all went well."""

    plan: Plan
    root: Path
    broken: list[str] = field(default_factory=list)
    duplicates: list[str] = field(default_factory=list)
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
        self.batches = Batches(self.stage, plan)
        self.striker = Striker(self.stage)
        self.outcome = Outcome(plan, root)
        self._clock = threading.Event()  # never set: a pause that a signal can end

    def run(self) -> Outcome:
        started = time.monotonic()
        try:
            with self.stage:
                load_sample(self.stage.stack)
                self.batches.begin()
                self._timed("up", started)
                self._disturb()
                rest = time.monotonic()
                self._rest()
                self._timed("rest", rest)
                judged = time.monotonic()
                self._judge()
                self._timed("judging", judged)
                self._close()
        finally:
            self.striker.frozen.thaw()
        self._timed("all", started)
        return self.outcome

    def _timed(self, what: str, since: float) -> None:
        self.outcome.seconds[what] = time.monotonic() - since

    # --- while it rages

    def _disturb(self) -> None:
        started, pace, strikes = time.monotonic(), Pace(self.plan), orders(self.plan)
        order, told = next(strikes), 0
        while self.striker.kills < self.plan.kills:
            self._tick()
            if not pace.due(order):
                continue
            now = standing(self.stage.stack)
            if now is not None and now.left < self.plan.together:
                self.batches.begin()
            if not pace.ready(order, now):
                continue
            self.striker.carry_out(order)
            pace.struck(now)
            order = next(strikes)
            if told < self.striker.kills // TOLD_EVERY and self.striker.kills < self.plan.kills:
                told = self.striker.kills // TOLD_EVERY
                self.say(f"{self.striker.kills} kills, {len(self.striker.strikes)} strikes: {self._standing()}")
        self._timed("strikes", started)

    def _tick(self) -> None:
        self._clock.wait(TICK_S)
        self.stage.keep()
        self.striker.falls.look()

    def _standing(self) -> str:
        rows = query(self.stage.stack, "SELECT state, count(*) FROM research_research GROUP BY state ORDER BY state")
        return ", ".join(f"{count} {state}" for state, count in rows) or "the database is away"

    # --- afterwards

    def _rest(self) -> None:
        """Strike no more, and wait until everything is complete, or nothing has changed for too long."""
        self.striker.calm()
        self.say(f"no more strikes after {self.striker.kills} kills: {self._standing()}")
        seen, since = None, time.monotonic()
        end = since + self.plan.longest_rest
        while time.monotonic() < min(end, since + self.plan.stuck_after):
            self._tick()
            now = standing(self.stage.stack)
            if now is None:
                continue
            if now.researches and not now.left and not self.batches.busy:
                return
            if now.failed:
                break
            if now.progress != seen:
                seen, since = now.progress, time.monotonic()
        self.outcome.broken += ["not every research is complete", *judge.unfinished(self.stage.stack)]

    def _judge(self) -> None:
        stack, root, outcome = self.stage.stack, self.stage.root, self.outcome
        breaches = judge.breaches(stack)
        outcome.broken += judge.words(breaches) + judge.thought_again(stack)
        outcome.duplicates = judge.duplicates(breaches)
        found = judge.cases(stack)
        outcome.broken += judge.differences(found)
        outcome.researches, outcome.kills = len(found), self.striker.kills
        logs = [*(stack.data_dir / "logs").glob("*.log"), *root.glob("*.log"), *root.glob("far-*/*.log")]
        logs = sorted(log for log in logs if not log.name.startswith("postgres"))
        outcome.figures = figures.gather(stack, self.striker, logs)

    def _close(self) -> None:
        try:
            self.stage.close()
        except AssertionError as left:
            names = [f"{one.pid} {' '.join(one.cmdline())[:120]}" for one in self.stage.processes()]
            self.outcome.broken.append(f"{left}; left: {names}")
        self.striker.falls.look()
        self.outcome.broken += self.striker.falls.broken
        forget_socket_folder(self.stage.stack.data_dir)
