"""All folds and seeds, epoch by epoch, telling where it is and going on from any checkpoint."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from workers import faults
from workers.job import Interrupted
from workers.spacing import Spacing
from workers.training.fit import Fit, FoldData, begin, is_finished, run_epoch
from workers.training.session import Session, dump, restore

if TYPE_CHECKING:
    from workers.job import Reporter
    from workers.training.plan import Plan
    from workers.training.prepare import Prepared


def train(
    plan: Plan,
    prepared: Prepared,
    reporter: Reporter,
    *,
    checkpoint: bytes | None = None,
    spacing: Spacing | None = None,
) -> Session:
    """Every model trained, whatever was done before `checkpoint`.

    Hands a checkpoint over after an epoch when `spacing` says so. Raises `Interrupted` and `UnusableCheckpoint`.
    """
    session = restore(plan, checkpoint) if checkpoint else Session()
    keeper = _Keeper(plan, reporter, spacing or Spacing())

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

    def __init__(self, plan: Plan, reporter: Reporter, spacing: Spacing) -> None:
        self.plan, self.reporter, self.spacing = plan, reporter, spacing

    def after_epoch(self, session: Session) -> None:
        due = self.spacing.due()
        if due:
            self._keep(session)
        faults.point("training.epoch")
        if self.reporter.should_stop():
            if not due:
                self._keep(session)
            raise Interrupted

    def _keep(self, session: Session) -> None:
        with self.spacing.saving():
            self.reporter.checkpoint(session.unit(self.plan), dump(self.plan, session))
