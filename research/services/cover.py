"""The lease clock: since when, without a gap, some web process could hear workers.

While no web process is up no lease ends; after a gap every worker gets a whole lease to come back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import connection

from research.runners.keys import LOCK_COVER

if TYPE_CHECKING:
    from uuid import UUID

GAP_S = 2.5  # a web process notes itself every second; a longer silence was a gap

# A process that was killed and started again within the gap leaves a fresh note behind, so at its start a process also
# asks whether another one's session lives (its lock is held): a note without a living session covers nothing.
_START = """
WITH covered AS (
  SELECT EXISTS (
    SELECT 1 FROM research_webprocess p JOIN pg_locks l ON l.pid = p.backend_pid
    WHERE p.id <> %(id)s AND p.noted_at > clock_timestamp() - make_interval(secs => %(gap)s)
      AND l.locktype = 'advisory' AND l.classid = %(key)s AND l.granted
      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  ) AS yes
), mine AS (
  INSERT INTO research_webprocess (id, backend_pid, label, started_at, noted_at)
  VALUES (%(id)s, %(pid)s, %(label)s, clock_timestamp(), clock_timestamp())
  ON CONFLICT (id) DO UPDATE SET backend_pid = EXCLUDED.backend_pid, noted_at = clock_timestamp()
)
INSERT INTO research_cover AS c (id, up_since, noted_at, silence_ended)
VALUES (1, clock_timestamp(), clock_timestamp(), true)
ON CONFLICT (id) DO UPDATE SET noted_at = clock_timestamp(),
  up_since = CASE WHEN (SELECT yes FROM covered) THEN c.up_since ELSE clock_timestamp() END
"""

_NOTE = """
WITH mine AS (UPDATE research_webprocess SET noted_at = clock_timestamp() WHERE id = %(id)s)
UPDATE research_cover AS c SET noted_at = clock_timestamp(),
  up_since = CASE WHEN c.noted_at < clock_timestamp() - make_interval(secs => %(gap)s)
             THEN clock_timestamp() ELSE c.up_since END
WHERE id = 1
"""


def start(process: UUID, backend_pid: int, label: str) -> None:
    """A web process is up, its listening session `backend_pid` holds the cover lock."""
    parameters: dict[str, Any] = {"id": process, "pid": backend_pid, "label": label, "gap": GAP_S, "key": LOCK_COVER}
    with connection.cursor() as cursor:
        cursor.execute(_START, parameters)
        cursor.execute("DELETE FROM research_webprocess WHERE noted_at < clock_timestamp() - interval '1 hour'")


def note(process: UUID) -> None:
    """Every second: still up. Gap check and note are one statement, so a thawed process cannot bridge its own gap."""
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, {"id": process, "gap": GAP_S})
