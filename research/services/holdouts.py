"""The hold-out of a market: where it begins, and opening it for one result. Every opening is counted."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from research.lifecycle.states import State
from research.models import Dataset, Holdout, Research, Topic
from research.services import datasets
from research.services.change import change
from research.services.errors import NotFound, Refused
from workers.training.prepare import searchable

if TYPE_CHECKING:
    from research.models import Strategy
    from workers.market.bars import Bars


def note(bars: Bars) -> Holdout:
    """The hold-out of these bars' market. More bars move it forward, never back: what was searched is no hold-out."""
    first = searchable(len(bars))
    begins = datetime.fromtimestamp(int(bars.time[min(first, len(bars) - 1)]), UTC)
    row, new = Holdout.objects.select_for_update().get_or_create(
        symbol=bars.symbol, timeframe=bars.timeframe, defaults={"begins_at": begins}
    )
    if not new and row.begins_at < begins:
        row.begins_at = begins
        row.save(update_fields=["begins_at"])
    return row


def begins(dataset: Dataset) -> datetime:
    """Where the hold-out of the dataset's market begins. Call inside a transaction."""
    found = Holdout.objects.filter(symbol=dataset.symbol, timeframe=dataset.timeframe).first()
    return (found or note(datasets.read(dataset))).begins_at


def open_for(research_id: int, *, user: Any = None, by: str = "") -> Research:
    """A research as `pending` that trades the hold-out with the strategy of a completed one; counts as no trial.

    Raises `NotFound`, `Refused`.
    """
    name = user.get_username() if user else by
    with change() as record:
        original = Research.objects.select_related("strategy").filter(pk=research_id).first()
        if original is None:
            raise NotFound(f"There is no research {research_id}.")
        strategy = _strategy_of(original)
        market = {"symbol": original.symbol, "timeframe": original.timeframe}
        dataset = Dataset.objects.filter(**market).order_by("-id")[0]
        start = begins(dataset)
        row = Holdout.objects.select_for_update().get(**market)
        row.opened += 1
        row.save(update_fields=["opened"])
        opened = Research.objects.create(
            brief=f"Hold-out of research {research_id}: {original.brief}", **market, dataset=dataset,
            designer=original.designer, seed=original.seed, memory_seq=original.memory_seq,
            given=strategy.spec, created_by=user, holdout_of=original, holdout_opening=row.opened,
            holdout_from=start,
        )  # fmt: skip
        times = "for the first time" if row.opened == 1 else f"for the {row.opened}. time"
        record.event(
            Topic.OPERATOR, "holdout.opened",
            f"{name or 'Somebody'} opened the hold-out of {original.symbol} {original.timeframe} {times}, for research "
            f"{research_id}: its result will be research {opened.pk}.",
            research=opened, user=name, opening=row.opened, original=research_id,
        )  # fmt: skip
    return opened


def _strategy_of(original: Research) -> Strategy:
    if original.state != State.COMPLETED or original.strategy is None:
        raise Refused(f"Research {original.pk} is {original.state}: the hold-out is for a completed one.")
    if original.holdout_of_id is not None:
        raise Refused(f"Research {original.pk} is itself of the hold-out: give the research {original.holdout_of_id}.")
    return original.strategy
