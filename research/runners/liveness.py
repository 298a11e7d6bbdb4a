"""Is it alive? Session locks and leases of in-process phases, leases of workers: evidence, read and never written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import connection

from research.lifecycle.pace import stretched_sql
from research.lifecycle.states import IN_PROCESS
from research.lifecycle.step import Look
from research.models.clock import database_now
from research.runners.keys import LOCK_OPERATION, second_key

if TYPE_CHECKING:
    from research.models import Operation


@dataclass(frozen=True, slots=True)
class Amnesty:
    """While it lasts no in-process phase is judged."""

    active: bool = False
    reason: str = ""


_IN_PROCESS = """
SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND classid = %(klass)s AND objid = %(key)s
               AND objsubid = 2 AND granted
               AND database = (SELECT oid FROM pg_database WHERE datname = current_database())),
       extract(epoch FROM clock_timestamp() - %(lease)s::timestamptz),
       extract(epoch FROM clock_timestamp() - %(deadline)s::timestamptz)
"""

# A lease ends at max(its own end, up_since + the lease as stretched); while nobody hears, none ends at all.
_EXTERNAL = f"""
SELECT extract(epoch FROM clock_timestamp() - greatest(%(lease)s::timestamptz,
                                                       c.up_since + make_interval(secs => w.lease_s))),
       extract(epoch FROM clock_timestamp() - greatest(%(deadline)s::timestamptz,
                                                       c.up_since + make_interval(secs => w.lease_s))),
       c.noted_at > clock_timestamp() - make_interval(secs => 2.5),
       c.silence_since > clock_timestamp() - make_interval(secs => %(amnesty)s * {stretched_sql("w")}),
       (SELECT min(o.name) FROM research_worker o WHERE o.id <> w.id AND o.idle AND NOT o.draining
          AND NOT o.drain_requested AND o.kinds @> to_jsonb(ARRAY[%(kind)s::text])
          AND o.last_seen_at > clock_timestamp() - make_interval(secs => %(suspect)s * {stretched_sql("o")})),
       w.name, extract(epoch FROM clock_timestamp() - w.last_seen_at)
FROM research_worker w, research_cover c WHERE w.id = %(worker)s AND c.id = 1
"""  # noqa: S608 - our own constants


def look_at(operation: Operation | None, amnesty: Amnesty) -> Look:
    """What is known of the runner of a live operation, by the database's clock, now."""
    if operation is None:
        return Look()
    if operation.kind in IN_PROCESS:
        return _in_process(operation, amnesty)
    return _external(operation)


def _in_process(operation: Operation, amnesty: Amnesty) -> Look:
    if operation.status == "queued":
        return Look(doorbell_waits=_doorbell_waits(operation.doorbell))
    if amnesty.active:
        return Look()
    with connection.cursor() as cursor:
        about = {"lease": operation.lease_expires_at, "deadline": operation.deadline_at}
        cursor.execute(_IN_PROCESS, {"klass": LOCK_OPERATION, "key": second_key(operation.pk), **about})
        held, late, overdue = cursor.fetchone()
    lost: dict[str, Any] | None = None
    # A runner ends its own process when it renews past its deadline: that is the time-out at work, and no loss.
    ended_itself = float(overdue - late) >= settings.ENV.phase_lease
    if not held and not ended_itself:
        lost = {"signal": "lock", "text": "its database session is gone"}
    elif held and late > 0:
        lost = {"signal": "lease", "late_s": round(float(late), 3),
                "text": f"its lease ended {float(late):.1f} s ago (stopped, frozen or cut off)"}  # fmt: skip
    return Look(lost=lost, overdue={"late_s": round(float(overdue), 3)} if overdue > 0 else None)


def _doorbell_waits(doorbell: int | None) -> bool:
    """The operation's last doorbell still waits unlocked in the queue: the cluster is busy, not wedged."""
    from django_q.models import OrmQ

    return doorbell is not None and bool(OrmQ.objects.filter(pk=doorbell, lock__lt=database_now()).exists())


def _external(operation: Operation) -> Look:
    if operation.status == "queued":
        return Look()
    env = settings.ENV
    with connection.cursor() as cursor:
        cursor.execute(_EXTERNAL, {
            "lease": operation.lease_expires_at, "deadline": operation.deadline_at, "kind": operation.kind,
            "worker": operation.worker_id, "suspect": env.suspect, "amnesty": env.amnesty,
            "heartbeat": env.heartbeat,
        })  # fmt: skip
        found = cursor.fetchone()
    if found is None or not found[2]:  # no web process ever was up, or none is: nobody could have heard
        return Look()
    late, overdue, _, amnesty, taker, name, silent = found
    lost = None
    if late > 0 and taker and not amnesty:
        text = f"worker {name} has been silent for {float(silent):.1f} s and {taker} is idle and can take over"
        lost = {"signal": "lease", "late_s": round(float(late), 3), "worker": name, "taker": taker, "text": text}
    return Look(lost=lost, overdue={"late_s": round(float(overdue), 3)} if overdue > 0 else None)
