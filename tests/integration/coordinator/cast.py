"""A coordinator at hand: a term in office, the cover of a web process, and one step after another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from research.coordinator import admission, apply, attention
from research.lifecycle.states import LIVE, Status
from research.models import Operation, Research
from research.runners.hold import Hold
from research.runners.keys import LOCK_OPERATION, second_key
from research.runners.liveness import Amnesty
from tests.support import factories
from tests.support.sql import execute
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

NONE = Amnesty()


def covered(seconds: float = 3600) -> None:
    """A web process has heard workers for so long, until now."""
    execute("INSERT INTO research_cover (id, up_since, noted_at, silence_ended) VALUES (1, now(), now(), true)"
            " ON CONFLICT (id) DO NOTHING")  # fmt: skip
    execute("UPDATE research_cover SET noted_at = clock_timestamp(), silence_since = NULL, silence_ended = true,"
            " up_since = clock_timestamp() - make_interval(secs => %(by)s)", by=float(seconds))  # fmt: skip


def tick(term: int, amnesty: Amnesty = NONE) -> None:
    """One look at everything, as the loop does."""
    for research in [*admission.admit(term), *attention.needing_attention()]:
        apply.advance(research, term, amnesty)


def live(row: Research) -> Operation:
    return Operation.objects.get(research=row, status__in=LIVE)


def tries(row: Research) -> list[tuple[str, str, str]]:
    return list(Operation.objects.filter(research=row).order_by("id").values_list("kind", "status", "reason"))


def state(row: Research) -> str:
    row.refresh_from_db()
    return str(row.state)


def let_go(hold: Hold) -> None:
    """End its session, as the operating system does for a dead process; the server takes a moment to free the lock."""
    hold.release()
    held = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND classid = %(klass)s AND objid = %(key)s"
    about = {"klass": LOCK_OPERATION, "key": second_key(hold.operation_id)}
    wait_until(lambda: execute(held, **about) == 0, what="the lock is free")


def held_design() -> Iterator[tuple[Operation, Hold]]:
    """A design that runs in this process: its lock is held, its lease is fresh."""
    operation = factories.queued(factories.designing_research())
    hold = Hold(operation.pk, factories.CLUSTER)
    assert hold.take()
    factories.claimed(operation)
    yield factories.again(operation, Status.RUNNING), hold
    hold.release()
