"""Time passes: every stored time the services compare with the database's clock moves into the past."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import connection

from research.services import cover
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    import psycopg

WEB = UUID("e0e0e0e0-0000-4000-8000-000000000001")
_LIVE = "status IN ('queued', 'running')"
_MOVED = (
    ("operation", ("lease_expires_at", "deadline_at", "rung_at", "not_before"), _LIVE),
    ("worker", ("last_seen_at",), "true"),
    ("cover", ("up_since", "noted_at", "silence_since"), "true"),
    ("term", ("lease_expires_at", "ticked_at", "amnesty_until"), "ended_at IS NULL"),
    ("cluster", ("drain_until",), "true"),
)
_PASS = "; ".join(
    f"UPDATE research_{table} SET {', '.join(f'{one} = {one} - make_interval(secs => {{by}})' for one in columns)}"
    f" WHERE {where}"
    for table, columns, where in _MOVED
)
_WIPED = (
    "research_event", "research_eventcounter", "research_trial", "research_measure", "research_artifact",
    "research_checkpoint", "research_operation", "research_research", "research_workersession", "research_worker",
    "research_term", "research_cover", "research_webprocess", "research_cluster", "django_q_ormq",
)  # fmt: skip


_passed = 0.0


def now() -> float:
    """Seconds, those that were made to pass and those that did."""
    return _passed + time.monotonic()


def written() -> int:
    """Grows with every transaction that wrote something."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
        return int(cursor.fetchone()[0])


def wipe() -> None:
    """An empty database but for its datasets and strategies, and a web process that has been up for an hour."""
    execute(f"TRUNCATE {', '.join(_WIPED)} RESTART IDENTITY CASCADE")
    cover.start(WEB, 0, "web of the machine")
    execute("UPDATE research_cover SET up_since = clock_timestamp() - interval '1 hour'")


def pass_time(seconds: float, *, heard: bool) -> None:
    """`heard`: a web process noted itself all the while; else none was up until now."""
    global _passed  # noqa: PLW0603 - one clock
    _passed += seconds
    execute(_PASS.format(by=f"{seconds:f}"))
    if heard:
        execute("UPDATE research_cover SET noted_at = clock_timestamp()")
    cover.note(WEB)


def ends(session: psycopg.Connection[Any] | None) -> None:
    """Close it, and wait until PostgreSQL has let go of its locks."""
    if session is None or session.closed:
        return
    pid = session.info.backend_pid
    session.close()
    wait_until(lambda: not _alive(pid), timeout=20, what=f"session {pid} is gone")


def _alive(pid: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE pid = %s", [pid])
        return bool(cursor.fetchone()[0])


def execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)
