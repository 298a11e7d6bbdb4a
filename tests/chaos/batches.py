"""Researches begun together, by one command at a time, in the background."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from ktrdr_site.processes import dies_with_parent
from tests.acceptance.recovery.cast import MARKET
from tests.support.stack import MANAGE

if TYPE_CHECKING:
    from tests.chaos.plan import Plan
    from tests.chaos.stage import Stage


class Batches:
    """Each has its own seeds, all of them made from the plan's."""

    def __init__(self, stage: Stage, plan: Plan) -> None:
        self.stage, self.plan = stage, plan
        self.begun = 0
        self._creating: subprocess.Popen[bytes] | None = None

    @property
    def busy(self) -> bool:
        return self._creating is not None and self._creating.poll() is None

    def begin(self) -> None:
        """Nothing while the command before is still at work."""
        if self.busy:
            return
        self.begun += 1
        seed = self.plan.seed * 1000 + self.begun * 50
        options = ["--count", str(self.plan.together), "--seed", str(seed)]
        options += ["--set", f"training.epochs={self.plan.epochs}", "--set", "training.patience=null"]
        with (self.stage.root / "start.log").open("ab") as log:
            self._creating = subprocess.Popen(
                [*MANAGE, "research", "start", f"Chaos {self.begun}", *MARKET, *options],
                env=self.stage.stack.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                preexec_fn=dies_with_parent(),
            )  # fmt: skip
