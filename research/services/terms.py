"""Terms of office: who leads, proven by a session lock and a lease. A leader touches only its own term."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import connection

from research.models import Term, Topic
from research.runners.keys import LOCK_LEADER
from research.services.change import change
from research.services.errors import StaleOperation

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

TERM_LEASE_S = 3.0

# The database's own life: a restart changes the first part, a crash re-initialisation the second (all session locks
# vanish then while the postmaster stays), a restored copy the third.
EPOCH_SQL = """
pg_postmaster_start_time()::text
|| '/' || coalesce((SELECT backend_start::text FROM pg_stat_activity WHERE backend_type = 'checkpointer'), '')
|| '/' || (SELECT timeline_id FROM pg_control_checkpoint())
"""

# Since when it takes connections, where this account may see that: runners can reconnect from then on.
_ACCEPTS_SQL = """
coalesce((SELECT backend_start FROM pg_stat_activity WHERE backend_type = 'walwriter'), clock_timestamp())
"""

_BEGIN = f"""
WITH previous AS (
  SELECT id, epoch, amnesty_until, amnesty_reason FROM research_term ORDER BY id DESC LIMIT 1
), present AS (SELECT {EPOCH_SQL} AS epoch)
INSERT INTO research_term (cluster, backend_pid, label, started_at, lease_expires_at, ticked_at, epoch,
                           amnesty_until, amnesty_reason)
SELECT %(cluster)s, %(pid)s, %(label)s, clock_timestamp(), clock_timestamp() + make_interval(secs => %(lease)s),
       clock_timestamp(), present.epoch,
       CASE WHEN previous.epoch <> present.epoch THEN {_ACCEPTS_SQL} + make_interval(secs => %(grace)s)
            ELSE previous.amnesty_until END,
       CASE WHEN previous.epoch <> present.epoch THEN 'PostgreSQL restarted'
            ELSE coalesce(previous.amnesty_reason, '') END
FROM present LEFT JOIN previous ON true
RETURNING id, amnesty_until > clock_timestamp()
"""  # noqa: S608 - the SQL is our own constant

_RENEW = f"""
WITH present AS (SELECT {EPOCH_SQL} AS epoch)
UPDATE research_term t SET
  lease_expires_at = clock_timestamp() + make_interval(secs => %(lease)s), ticked_at = clock_timestamp(),
  epoch = present.epoch,
  amnesty_until = CASE WHEN t.epoch <> present.epoch THEN {_ACCEPTS_SQL} + make_interval(secs => %(grace)s)
                  WHEN t.ticked_at < clock_timestamp() - make_interval(secs => %(gap)s)
                  THEN clock_timestamp() + make_interval(secs => %(grace)s) ELSE t.amnesty_until END,
  amnesty_reason = CASE WHEN t.epoch <> present.epoch THEN 'PostgreSQL restarted'
                   WHEN t.ticked_at < clock_timestamp() - make_interval(secs => %(gap)s)
                   THEN 'the leader itself stood still'
                   ELSE t.amnesty_reason END
FROM present WHERE t.id = %(id)s AND t.ended_at IS NULL
RETURNING t.amnesty_until > clock_timestamp(), t.amnesty_reason
"""  # noqa: S608


class Deposed(StaleOperation):
    """This term is over: its holder decides nothing more."""

    code = "deposed"


def begin(*, cluster: UUID, backend_pid: int, label: str) -> tuple[int, bool]:
    """Start a term; the caller holds the leader lock. Returns its id and whether an amnesty holds.

    Starts from the epoch stored by the term before: a fresh leader is not blind.
    """
    with change() as record, connection.cursor() as cursor:
        cursor.execute("UPDATE research_term SET ended_at = clock_timestamp() WHERE ended_at IS NULL")
        cursor.execute(_BEGIN, {"cluster": cluster, "pid": backend_pid, "label": label, "lease": TERM_LEASE_S,
                                "grace": settings.ENV.db_grace})  # fmt: skip
        term, amnesty = cursor.fetchone()
        record.event(Topic.SYSTEM, "leader.began", f"{label} leads (term {term}).", term=term)
    return int(term), bool(amnesty)


def renew(term: int) -> tuple[bool, str]:
    """Every second. Returns whether an amnesty holds, and why. Raises `Deposed`."""
    parameters = {
        "id": term,
        "lease": TERM_LEASE_S,
        "grace": settings.ENV.db_grace,
        "gap": settings.ENV.phase_lease / 2,
    }
    with connection.cursor() as cursor:
        cursor.execute(_RENEW, parameters)
        row = cursor.fetchone()
    if row is None:
        raise Deposed(f"Term {term} is over: another leader took office.")
    return bool(row[0]), row[1]


def must_hold(term: int) -> datetime:
    """Inside an apply: still mine, and nobody can end it before the commit. Raises `Deposed`.

    Returns the database's time, UTC.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT clock_timestamp() FROM research_term WHERE id = %s AND ended_at IS NULL"
            " AND lease_expires_at > clock_timestamp() FOR SHARE",
            [term],
        )
        row = cursor.fetchone()
    if row is None:
        raise Deposed(f"Term {term} is over: nothing is applied.")
    now: datetime = row[0]
    return now


def resign(term: int) -> None:
    """Leave office at once, so that the next one need not wait for the lease."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE research_term SET ended_at = clock_timestamp() WHERE id = %s AND ended_at IS NULL", [term]
        )


def present() -> Term | None:
    """The term in office, if its lease still runs."""
    return Term.objects.extra(where=["ended_at IS NULL AND lease_expires_at > clock_timestamp()"]).first()


# A leader that died frees its lock at once: nobody need wait for the end of its lease.
LED_SQL = f"""
EXISTS (SELECT 1 FROM research_term t JOIN pg_locks l ON l.pid = t.backend_pid
        WHERE t.ended_at IS NULL AND t.lease_expires_at > clock_timestamp()
        AND l.locktype = 'advisory' AND l.classid = {LOCK_LEADER} AND l.granted
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()))
"""  # noqa: S608


def led() -> bool:
    """Whether somebody leads now: its session lives, and its lease runs."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {LED_SQL}")
        return bool(cursor.fetchone()[0])
