"""All folds and seeds, epoch by epoch, telling where it is and going on from any checkpoint."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import TYPE_CHECKING

from workers import faults
from workers.job import Interrupted
from workers.training.fit import Fit, FoldData, begin, is_finished, run_epoch
from workers.training.session import Session, dump, restore

if TYPE_CHECKING:
    from workers.job import Reporter
    from workers.training.plan import Plan
    from workers.training.prepare import Prepared


def train(
    plan: Plan, prepared: Prepared, reporter: Reporter, *, checkpoint: bytes | None = None, every_s: float = 0.0
) -> Session:
    """Every model trained, whatever was done before `checkpoint`.

    Hands a checkpoint over after every epoch or, with `every_s` above 0, after so many seconds and at every model's
    end. Raises `Interrupted` and `UnusableCheckpoint`.
    """
    session = restore(plan, checkpoint) if checkpoint else Session()
    keeper = _Keeper(plan, reporter, every_s)

    @lru_cache(maxsize=1)
    def data_of(fold: int) -> FoldData:
        return FoldData.of(prepared, prepared.folds[fold])

    while len(session.finished) < plan.fits:
        number = len(session.finished)
        fold, seed = plan.place(number)
        fit = session.current = session.current or begin(plan, data_of(fold), fold, seed)
        run_epoch(plan, data_of(fold), fit)
        _tell(plan, reporter, number, fit)
        if is_finished(plan, fit):
            session.finished.append(fit.best.copy())
            session.histories.append(fit.history(fold, seed))
            session.current = None
        reporter.progress(session.unit(plan), plan.units, f"fold {fold + 1} of {plan.folds}, model {seed + 1}")
        keeper.after_epoch(session)
    return session


def _tell(plan: Plan, reporter: Reporter, number: int, fit: Fit) -> None:
    fold, seed = plan.place(number)
    values = {"fold": float(fold), "seed": float(seed), "epoch": float(fit.epoch)}
    losses = {"loss": fit.loss, "validation_loss": fit.validation_loss}
    values |= {name: value for name, value in losses.items() if value is not None}
    reporter.metric(number * plan.training.epochs + fit.epoch, values)


class _Keeper:
    """Decides when a checkpoint is due, and ends the work when the reporter asks for it."""

    def __init__(self, plan: Plan, reporter: Reporter, every_s: float) -> None:
        self.plan, self.reporter, self.every_s = plan, reporter, every_s
        self.last = time.monotonic()

    def after_epoch(self, session: Session) -> None:
        due = session.current is None or time.monotonic() - self.last >= self.every_s
        if due:
            self._keep(session)
        faults.point("training.epoch")
        if self.reporter.should_stop():
            if not due:
                self._keep(session)
            raise Interrupted

    def _keep(self, session: Session) -> None:
        self.reporter.checkpoint(session.unit(self.plan), dump(self.plan, session))
        self.last = time.monotonic()
