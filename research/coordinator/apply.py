"""One step of one research: lock, read, decide, apply, in one transaction that proves the term is still ours."""

from __future__ import annotations

import logging
import traceback
from functools import singledispatch
from typing import TYPE_CHECKING

from django.db import DatabaseError, InterfaceError, OperationalError, connection

from research import phases
from research.coordinator.facts import Facts, gather
from research.lifecycle import step as steps
from research.lifecycle.states import ACTIVE, IN_PROCESS, Kind, Reason
from research.models import Research
from research.services import absorb, doorbell, locks, operations, researches, terms
from research.services.change import Change, change
from research.services.errors import StaleOperation
from workers.faults import point

if TYPE_CHECKING:
    from datetime import datetime

    from research.models import Operation
    from research.runners.liveness import Amnesty

log = logging.getLogger(__name__)
MOST_STEPS = 6
_FOLLOWED = (steps.Orphan, steps.TimeOut, steps.Absorb)  # after any other step the research waits for something


def advance(research_id: int, term: int, amnesty: Amnesty) -> bool:
    """Take the steps a research needs now. False: look again soon, something stood in the way.

    Raises `Deposed`; a lost connection is the caller's, too.
    """
    for _ in range(MOST_STEPS):
        try:
            settled = _one_step(research_id, term, amnesty)
        except terms.Deposed:
            raise
        except StaleOperation as stale:
            log.info("Step of research %s is taken again: %s", research_id, stale)
            return False
        except (OperationalError, InterfaceError) as error:
            if not connection.is_usable():
                raise
            log.info("Step of research %s is taken again: %s", research_id, error)  # a deadlock, a lock not available
            return False
        except Exception:  # noqa: BLE001 - an error in one research fails that one, and the loop goes on
            _fail(research_id, term, traceback.format_exc())
            return True
        if settled is not None:
            return settled
    return False


def _one_step(research_id: int, term: int, amnesty: Amnesty) -> bool | None:
    """None: the next step may follow at once. True: nothing more for now. False: somebody holds the research."""
    with change() as record:
        now = terms.must_hold(term)
        research = locks.research_or_none(research_id)
        if research is None:
            return not Research.objects.filter(pk=research_id).exists()
        if research.state not in ACTIVE:
            return True
        facts = gather(research, lock=True)
        step = _decide_and_apply(facts, amnesty, now, record)
        if isinstance(step, steps.Absorb) and research.state in ACTIVE:  # what it leaves and what follows are one
            step = _decide_and_apply(facts.moved_on(), amnesty, now, record)
    point("coordinator.committed")
    return None if isinstance(step, _FOLLOWED) else True


def _decide_and_apply(facts: Facts, amnesty: Amnesty, now: datetime, record: Change) -> steps.Step:
    step = facts.decide(amnesty, now)
    point("coordinator.decided")
    _apply(step, facts, record)
    point("coordinator.applied")
    return step


def _fail(research_id: int, term: int, trace: str) -> None:
    log.error("Research %s failed in the coordinator:\n%s", research_id, trace)
    try:
        with change() as record:
            terms.must_hold(term)
            research = locks.research(research_id)
            if research.state not in ACTIVE:
                return  # it ended meanwhile
            live = gather(research, lock=True).live
            message = f"The coordinator could not go on: {trace.strip().splitlines()[-1]}"
            if live is not None:
                operations.fail(record, live, reason=Reason.ERROR, message=message, traceback=trace)
            researches.fail(record, research, reason=Reason.ERROR, message=message, traceback=trace)
    except DatabaseError:
        log.exception("Research %s could not be failed; it is tried again", research_id)


@singledispatch
def _apply(step: object, facts: Facts, record: Change) -> None:
    """Nothing to do."""


@_apply.register
def _(step: steps.Orphan, facts: Facts, record: Change) -> None:
    live = _live(facts)
    text = f"{live.get_kind_display()} operation {live.pk} lost its runner {live.runner}: {step.evidence['text']}."
    rule = "in-process: lock or lease" if live.kind in IN_PROCESS else "worker: lease ended and another can take over"
    evidence = {key: value for key, value in step.evidence.items() if key not in ("text", "worker")}
    operations.fail(
        record, live, reason=Reason.ORPHANED, message=text, rule=rule, **evidence,
        conditions={"lease_expires_at": live.lease_expires_at, **_runner(live)},
    )  # fmt: skip


@_apply.register
def _(step: steps.TimeOut, facts: Facts, record: Change) -> None:
    live = _live(facts)
    text = f"{live.get_kind_display()} operation {live.pk} on {live.runner} passed its deadline."
    operations.fail(record, live, reason=Reason.TIMED_OUT, message=text, conditions=_runner(live), **step.evidence)


@_apply.register
def _(step: steps.Ring, _facts: Facts, _record: Change) -> None:
    doorbell.ring(step.operation)


@_apply.register
def _(step: steps.Start, facts: Facts, record: Change) -> None:
    restore = (step.restore.checkpoint, step.restore.unit) if step.restore else None
    operation = operations.create(
        record, facts.research, step.kind, spec=phases.get(step.kind).spec(facts.research), attempt=step.attempt,
        continues=step.continues, restore=restore, delay=step.delay,
    )  # fmt: skip
    if step.kind in IN_PROCESS and not step.delay:
        doorbell.ring(operation.pk)


@_apply.register
def _(step: steps.Absorb, facts: Facts, record: Change) -> None:
    operation = next(one for one in facts.operations if one.pk == step.operation)
    leaves = phases.get(Kind(operation.kind)).leave(facts.research, operation)
    absorb.absorb(record, facts.research, operation, leaves)


@_apply.register
def _(step: steps.Fail, facts: Facts, record: Change) -> None:
    researches.fail(record, facts.research, reason=step.reason, message=step.message)


def _live(facts: Facts) -> Operation:
    live = facts.live
    if live is None:  # the step was decided on the same rows
        raise StaleOperation("The research has no live operation.")
    return live


def _runner(live: Operation) -> dict[str, object]:
    return {"cluster": live.cluster, "incarnation": live.incarnation, "worker_id": live.worker_id}
