"""Which researches need a step now. Commits tell of themselves; what only time tells is looked up here.

Three looks, by cost: `lost_in_process` (what runs in our own processes, every 100 ms), `due` (what a clock decides; by
partial indexes, so it costs what is queued here or runs, not what exists), `needing_attention` (also every active
research without a live operation: whoever's word got lost is found by it; every `loop.FULL_S`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from django.conf import settings
from django.db import connection

from research.runners.keys import LOCK_OPERATION

if TYPE_CHECKING:
    from collections.abc import Mapping

_ACTIVE = "('designing', 'training', 'backtesting', 'assessing')"
_CONSTANTS = {"lock": LOCK_OPERATION}

IN_PROCESS_SQL = """
SELECT o.research_id FROM research_operation o
WHERE o.kind IN ('design', 'assessment') AND o.status = 'running' AND (o.lease_expires_at < clock_timestamp()
  OR o.deadline_at < clock_timestamp() OR o.id %% 2147483647 NOT IN (
    SELECT objid::bigint FROM pg_locks
    WHERE locktype = 'advisory' AND classid = %(lock)s AND objsubid = 2 AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())))
"""

# A queued phase whose doorbell still waits needs nothing; of the others as many as there are free places are rung, the
# longest unheard first, and one in any case: clusters may have places that this reckoning does not know of.
QUEUED_SQL = """
(SELECT o.research_id FROM research_operation o
 WHERE o.status = 'queued' AND o.kind IN ('design', 'assessment')
   AND (o.not_before IS NULL OR o.not_before <= clock_timestamp())
   AND (o.rung_at IS NULL OR o.rung_at < clock_timestamp() - interval '2 s')
   AND NOT EXISTS (SELECT 1 FROM django_q_ormq q WHERE q.id = o.doorbell AND q.lock < clock_timestamp())
 ORDER BY o.rung_at NULLS FIRST
 LIMIT greatest(1, (SELECT count(*) FROM research_cluster c WHERE c.ended_at IS NULL AND c.drain_until IS NULL
                      AND c.noted_at > clock_timestamp() - interval '5 s') * %(slots)s
                   - (SELECT count(*) FROM research_operation r
                      WHERE r.status = 'running' AND r.kind IN ('design', 'assessment'))))
"""

# Less than `liveness` asks for, never more: the evidence is looked at under lock before anything is concluded.
EXTERNAL_SQL = """
SELECT o.research_id FROM research_operation o JOIN research_worker w ON w.id = o.worker_id, research_cover c
WHERE o.status = 'running' AND c.id = 1 AND c.noted_at > clock_timestamp() - interval '2.5 s'
  AND c.up_since + make_interval(secs => w.lease_s) < clock_timestamp()
  AND (o.deadline_at < clock_timestamp() OR (o.lease_expires_at < clock_timestamp() AND EXISTS (
    SELECT 1 FROM research_worker t WHERE t.id <> w.id AND t.idle AND t.kinds @> to_jsonb(ARRAY[o.kind::text]))))
"""

DUE_SQL = f"{QUEUED_SQL} UNION {EXTERNAL_SQL} UNION {IN_PROCESS_SQL}"

IDLE_SQL = f"""
SELECT r.id FROM research_research r WHERE r.state IN {_ACTIVE} AND NOT EXISTS (
  SELECT 1 FROM research_operation o WHERE o.research_id = r.id AND o.status IN ('queued', 'running'))
"""  # noqa: S608 - our own constants

_PRESENT = f"""
SELECT EXISTS (SELECT 1 FROM research_research WHERE state IN {_ACTIVE}),
       EXISTS (SELECT 1 FROM research_research WHERE state = 'pending'),
       EXISTS (SELECT 1 FROM research_operation WHERE status = 'running' AND kind IN ('design', 'assessment'))
"""  # noqa: S608


class Present(NamedTuple):
    """Whether there is any active research, any pending one, any running in-process operation."""

    active: bool
    pending: bool
    in_process: bool


def needing_attention() -> list[int]:
    """Ids of active researches without a live operation, or with one that may be lost, overdue or unheard."""
    return sorted({*_ids(IDLE_SQL), *due()})


def due() -> list[int]:
    """Ids of researches whose live operation may be lost, overdue or unheard by now."""
    return _ids(DUE_SQL, {"slots": settings.ENV.phase_slots})


def lost_in_process() -> list[int]:
    """Ids of researches whose in-process operation may be lost; looked at every 100 ms while there are any."""
    return _ids(IN_PROCESS_SQL)


def present() -> Present:
    with connection.cursor() as cursor:
        cursor.execute(_PRESENT)
        return Present(*cursor.fetchone())


def _ids(sql: str, parameters: Mapping[str, int] | None = None) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(sql, {**_CONSTANTS, **(parameters or {})})
        return [int(row[0]) for row in cursor.fetchall()]
