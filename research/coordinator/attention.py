"""Which researches need a step now: one query that costs what needs attention, not what exists."""

from __future__ import annotations

from django.db import connection

from research.runners.keys import LOCK_OPERATION

_LOST = f"""
o.kind IN ('design', 'assessment') AND o.status = 'running' AND (o.lease_expires_at < clock_timestamp()
  OR o.deadline_at < clock_timestamp() OR o.id % 2147483647 NOT IN (
    SELECT objid::bigint FROM pg_locks
    WHERE locktype = 'advisory' AND classid = {LOCK_OPERATION} AND objsubid = 2 AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())))
""".replace("%", "%%")  # noqa: S608

IN_PROCESS_SQL = f"SELECT o.research_id FROM research_operation o WHERE {_LOST}"  # noqa: S608 - our own constants

EVERYTHING_SQL = f"""
SELECT r.id FROM research_research r
LEFT JOIN research_operation o ON o.research_id = r.id AND o.status IN ('queued', 'running')
WHERE r.state IN ('designing', 'training', 'backtesting', 'assessing') AND (
  o.id IS NULL
  OR (o.status = 'queued' AND o.kind IN ('design', 'assessment')
      AND coalesce(o.not_before, '-infinity') <= clock_timestamp()
      AND coalesce(o.rung_at, '-infinity') < clock_timestamp() - interval '2 s')
  OR (o.kind IN ('training', 'backtest') AND o.status = 'running'
      AND (o.lease_expires_at < clock_timestamp() OR o.deadline_at < clock_timestamp()))
  OR ({_LOST}))
ORDER BY r.id
"""  # noqa: S608

_COUNTS = """
SELECT (SELECT count(*) FROM research_research WHERE state IN ('designing', 'training', 'backtesting', 'assessing')),
       (SELECT count(*) FROM research_research WHERE state = 'pending'),
       (SELECT count(*) FROM research_operation WHERE status = 'running' AND kind IN ('design', 'assessment'))
"""


def needing_attention() -> list[int]:
    """Ids of active researches without a live operation, or with one that may be lost, overdue or unheard."""
    return _ids(EVERYTHING_SQL)


def lost_in_process() -> list[int]:
    """Ids of researches whose in-process operation may be lost; looked at every 100 ms while there are any."""
    return _ids(IN_PROCESS_SQL)


def counts() -> tuple[int, int, int]:
    """Active researches, pending ones, running in-process operations."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS)
        active, pending, in_process = cursor.fetchone()
    return int(active), int(pending), int(in_process)


def _ids(sql: str) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(sql, [])
        return [int(row[0]) for row in cursor.fetchall()]
