"""What happens to a research: created, begun, moved on, failed, cancelled, resumed."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from research.lifecycle.states import ACTIVE, LIVE, Reason, State
from research.models import Dataset, Level, Operation, Research, Topic, Trial
from research.models.clock import DatabaseNow
from research.services import holdouts, locks, operations
from research.services.change import change
from research.services.errors import Invalid, Refused
from research.services.given import check_given, on_market
from workers.faults import point

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from research.services.change import Change

LARGEST_SEED = 2**63 - 1


def create(
    *, brief: str, symbol: str = "", timeframe: str = "", seed: int | None = None, designer: str = "evolution",
    given: Mapping[str, Any] | None = None, overrides: Sequence[str] = (), priority: int = 0, user: Any = None,
    by: str = "",
) -> Research:  # fmt: skip
    """Record a new research as `pending`; the coordinator begins it. Raises `Invalid` saying what to do.

    `symbol` and `timeframe` win over those of a given specification. `by` names who asked where there is no `user`.
    """
    if seed is not None and not 0 <= seed <= LARGEST_SEED:
        raise Invalid(f"The seed must be between 0 and {LARGEST_SEED}.")
    given, dataset = check(
        brief=brief, symbol=symbol, timeframe=timeframe, designer=designer, given=given, overrides=overrides
    )
    name = user.get_username() if user else by
    with change() as record:
        research = Research.objects.create(
            brief=brief.strip(), symbol=dataset.symbol, timeframe=dataset.timeframe, dataset=dataset,
            seed=_seed(seed, given), designer=designer, given=given,
            overrides=list(overrides), priority=priority, created_by=user, memory_seq=_memory_seq(),
            holdout_from=holdouts.begins(dataset),
        )  # fmt: skip
        record.event(
            Topic.RESEARCH, "research.created", f"Research {research.pk} is created: {research.brief}",
            research=research, user=name, seed=research.seed,
        )  # fmt: skip
    point("research.created")
    return research


def check(
    *, brief: str, symbol: str = "", timeframe: str = "", designer: str = "evolution",
    given: Mapping[str, Any] | None = None, overrides: Sequence[str] = (), priority: int = 0,  # noqa: ARG001
) -> tuple[dict[str, Any] | None, Dataset]:  # fmt: skip
    """The given specification, complete, and the data: what `create` would begin with. Raises `Invalid`."""
    if not brief.strip():
        raise Invalid('The brief is empty: say in a sentence what to look for, such as "momentum after quiet weeks".')
    given = check_given(on_market(given, symbol, timeframe), overrides, designer)
    return given, _dataset(symbol, timeframe, given)


def _seed(asked: int | None, given: Mapping[str, Any] | None) -> int:
    """The one asked for, or that of the specification, or a random one."""
    own = asked if asked is not None else (given or {}).get("seed")
    return secrets.randbelow(2**31) if own is None else int(own)


def _memory_seq() -> int:
    newest = Trial.objects.order_by("-id").values_list("id", flat=True).first()
    return newest or 0


def _dataset(symbol: str, timeframe: str, given: Mapping[str, Any] | None) -> Dataset:
    if given is not None:
        symbol, timeframe = symbol or given["data"]["symbol"], timeframe or given["data"]["timeframe"]
    known = Dataset.objects.order_by("-id")
    if symbol:
        known = known.filter(symbol=symbol)
    if timeframe:
        known = known.filter(timeframe=timeframe)
    found = known.first()
    if found is None:
        there = sorted({f"{row.symbol} {row.timeframe}" for row in Dataset.objects.all()})
        hint = f"There is: {', '.join(there)}." if there else "Nothing is loaded yet."
        wanted = f"{symbol} {timeframe}".strip() or "any symbol"
        raise Invalid(f"No data for {wanted}. {hint} Load some: manage.py data load FILE --symbol X --timeframe 1d")
    return found


def begin(record: Change, research: Research, state: State) -> None:
    """A pending research gets its place and goes on in `state`."""
    fields: dict[str, Any] = {} if research.started_at else {"started_at": DatabaseNow()}
    _move(record, research, state, "research.begun", f"Research {research.pk} begins {state}.", **fields)


def move_on(record: Change, research: Research, state: State, message: str, **fields: Any) -> None:
    """The present phase left its result: on with the next; `fields` is what it leaves on the research."""
    _move(record, research, state, f"research.{state}", message, **fields)
    for name, value in fields.items():
        setattr(research, name, value)


def complete(record: Change, research: Research, *, verdict: Mapping[str, Any], metrics: Mapping[str, Any]) -> None:
    """The assessment left its verdict."""
    message = f"Research {research.pk} is complete: {verdict['label']}."
    _move(record, research, State.COMPLETED, "research.completed", message,
          verdict=dict(verdict), metrics=dict(metrics), ended_at=DatabaseNow())  # fmt: skip


def _move(record: Change, research: Research, state: State, code: str, message: str, **fields: Any) -> None:
    updated = Research.objects.filter(pk=research.pk, state=research.state).update(state=state, **fields)
    operations.one(updated, f"Research {research.pk} to {state}")
    research.state = state
    record.event(Topic.RESEARCH, code, message, research=research)


def fail(record: Change, research: Research, *, reason: Reason, message: str, **evidence: Any) -> None:
    """The research ends as failed; an operator may resume it."""
    updated = Research.objects.filter(pk=research.pk, state=research.state).update(
        state=State.FAILED, reason=reason, message=message, ended_at=DatabaseNow()
    )
    operations.one(updated, f"Failing research {research.pk}")
    record.event(
        Topic.RESEARCH, "research.failed", f"Research {research.pk} failed ({reason}): {message}",
        level=Level.ERROR, research=research, reason=reason, **evidence,
    )  # fmt: skip


def _live_operation(research: Research) -> Operation | None:
    return Operation.objects.select_for_update(of=("self",)).filter(research=research, status__in=LIVE).first()


def cancel(research_id: int, *, user: str = "") -> Research:
    """Cancel a research that is not over. Whatever arrives later is refused. Raises `Refused`, `NotFound`."""
    with change() as record:
        research = locks.research(research_id)
        if research.state not in (*ACTIVE, State.PENDING):
            raise Refused(f"Research {research_id} is already {research.state}: there is nothing to cancel.")
        record.event(
            Topic.OPERATOR, "operator.cancel", f"{user or 'Somebody'} asked to cancel research {research_id}.",
            research=research, user=user,
        )  # fmt: skip
        live = _live_operation(research)
        if live is not None:
            operations.cancel(record, live, user=user)
        message = f"Cancelled by {user or 'an operator'}."
        updated = Research.objects.filter(pk=research_id, state=research.state).update(
            state=State.CANCELLED, reason=Reason.CANCELLED, message=message, ended_at=DatabaseNow()
        )
        operations.one(updated, f"Cancelling research {research_id}")
        record.event(Topic.RESEARCH, "research.cancelled", f"Research {research_id} is cancelled.", research=research)
    point("research.cancelled")
    research.refresh_from_db()
    return research


def resume(research_id: int, *, user: str = "") -> Research:
    """Make a failed or cancelled research active again; the coordinator goes on where it stopped.

    Counters start anew. Of several at once one wins; the others get `Refused`. Raises `NotFound`.
    """
    with change() as record:
        research = locks.research(research_id)
        if not research.is_resumable:
            raise Refused(
                f"Research {research_id} is {research.state}: only a failed or cancelled one can be resumed"
                + (", perhaps somebody was faster." if research.state != State.COMPLETED else ".")
            )
        record.event(
            Topic.OPERATOR, "operator.resume", f"{user or 'Somebody'} asked to resume research {research_id}.",
            research=research, user=user,
        )  # fmt: skip
        newest = Operation.objects.filter(research=research).order_by("-id").values_list("id", flat=True).first()
        updated = Research.objects.filter(pk=research_id, state=research.state).update(
            state=State.PENDING, reason="", message="", ended_at=None, counted_from=newest or 0
        )
        operations.one(updated, f"Resuming research {research_id}")
        record.event(
            Topic.RECOVERY, "research.resumed",
            f"Research {research_id} was {research.state} and goes on where it stopped.", research=research, user=user,
        )  # fmt: skip
    point("research.resumed")
    research.refresh_from_db()
    return research


def set_priority(research_id: int, priority: int, *, user: str = "") -> None:
    """Change a pending research's place in the queue: higher begins earlier."""
    with change() as record:
        research = locks.research(research_id)
        Research.objects.filter(pk=research_id).update(priority=priority)
        record.event(
            Topic.OPERATOR, "operator.priority",
            f"{user or 'Somebody'} gave research {research_id} the priority {priority}.",
            research=research, user=user,
        )  # fmt: skip
