"""Ten thousand active researches as real rows, cloned from a few that the services built."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connection, transaction

from research.models import Operation, Research
from tests.support import factories

if TYPE_CHECKING:
    from collections.abc import Iterable

_RESEARCH = """
INSERT INTO research_research ({columns}) SELECT {columns} FROM research_research, generate_series(1, %(count)s)
WHERE id = %(like)s RETURNING id
"""
_OPERATION = """
INSERT INTO research_operation ({columns}, research_id)
SELECT {columns}, clone FROM research_operation, unnest(%(researches)s::bigint[]) AS clone WHERE id = %(like)s
"""
_WORKERS = """
INSERT INTO research_worker ({columns}, name)
SELECT {columns}, 'worker-' || number FROM research_worker, generate_series(1, %(count)s) AS number WHERE id = %(like)s
RETURNING id
"""
_RUNNING = """
UPDATE research_operation o SET status = 'running', reported = true, runner = 'worker', started_at = clock_timestamp(),
  worker_id = pair.worker, incarnation = gen_random_uuid(), lease_expires_at = clock_timestamp() + interval '1 h',
  deadline_at = clock_timestamp() + interval '2 h'
FROM unnest(%(researches)s::bigint[], %(workers)s::bigint[]) AS pair (research, worker)
WHERE o.research_id = pair.research AND o.status = 'queued'
"""


def populate(active: int) -> None:
    """So many active researches, in a database of its own.

    A tenth trains, each on a worker of its own; half are queued for training and a fifth for a backtest; the rest
    waits for a design while every place is taken.
    """
    training, backtesting, designing = (
        factories.training_research(), factories.backtesting_research(), factories.designing_research(),
    )  # fmt: skip
    for row in (training, backtesting, designing):
        factories.queued(row)
    gpu = factories.worker("template")
    _execute("SET session_replication_role = replica")  # the triggers want an event for each: the clones have none
    run = _clones(training, active // 10 - 1)
    workers = _clone(_WORKERS, "research_worker", {"name", "id", "incarnation", "session"}, gpu.row().pk, len(run))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_RUNNING, {"researches": run, "workers": workers})
    _clones(training, active // 2 - 1)
    _clones(backtesting, active // 5 - 1)
    designs = _clones(designing, active - 1 - Research.objects.active().count())
    _execute("SET session_replication_role = origin")
    _busy_places(designs)
    _execute("UPDATE research_operation SET rung_at = clock_timestamp() WHERE status = 'queued'"
             " AND kind IN ('design', 'assessment')")  # fmt: skip
    _execute("UPDATE research_cover SET up_since = now() - interval '1 h', noted_at = now() + interval '1 h'")
    _execute("VACUUM ANALYZE")


def _busy_places(designs: Iterable[int]) -> None:
    for research in list(designs)[:4]:
        factories.claimed(Operation.objects.get(research_id=research), lease=3600, deadline=7200)


def _clones(like: Research, count: int) -> list[int]:
    """So many more researches with the same rows; their ids."""
    made = _clone(_RESEARCH, "research_research", {"id"}, like.pk, count)
    for operation in Operation.objects.filter(research=like).order_by("id"):
        skipped = {"id", "research_id"}
        with connection.cursor() as cursor:
            sql = _OPERATION.format(columns=_columns("research_operation", skipped))
            cursor.execute(sql, {"researches": made, "like": operation.pk})
    return made


def _clone(sql: str, table: str, skipped: set[str], like: int, count: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(sql.format(columns=_columns(table, skipped)), {"like": like, "count": count})
        return [int(row[0]) for row in cursor.fetchall()]


def _columns(table: str, skipped: set[str]) -> str:
    with connection.cursor() as cursor:
        described = connection.introspection.get_table_description(cursor, table)
    return ", ".join(f'"{column.name}"' for column in described if column.name not in skipped)


def _execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)
