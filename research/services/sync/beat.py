"""Calls that say no more than "still here, so far": many of them in one statement that never waits for a lock.

Nearly all calls are of this kind, and a thousand workers send them. What a call must be for it is tested by `plain` and
by the statement itself, against the rows as they are; every other call, and one whose rows somebody else has locked at
this moment, is left to `call.handle`, which comes to the same for a plain one, at ten times the price.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import connection

from research.lifecycle.pace import EASING, stretched_sql
from research.services.change import CHANNEL
from research.services.sync.storable import storable
from research.services.sync.telling import wanted
from workers.protocol import OperationAnswer, SyncAnswer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from workers.protocol import SyncRequest

# Worker and operation are locked in the other order than elsewhere: nobody can wait here, so nobody waits in a circle.
_BEAT = f"""
WITH call AS (
  SELECT * FROM unnest(%(n)s::int[], %(worker)s::text[], %(incarnation)s::uuid[], %(session)s::bigint[],
      %(seq)s::bigint[], %(kinds)s::jsonb[], %(host)s::jsonb[], %(entry)s::text[], %(operation)s::bigint[],
      %(unit)s::bigint[], %(units)s::bigint[], %(fraction)s::float8[], %(message)s::text[])
    AS c(n, worker, incarnation, session, seq, kinds, host, entry, operation, unit, units, fraction, message)
), metric AS (
  SELECT * FROM unnest(%(metric_n)s::int[], %(metric_unit)s::bigint[], %(metric_values)s::jsonb[]) AS m(n, unit, point)
), able AS MATERIALIZED (
  SELECT c.n, w.id, greatest(%(wanted)s, %(easing)s * {stretched_sql("w")}) AS stretch
  FROM call c JOIN research_worker w ON w.name = c.worker
  WHERE w.session = c.session AND w.incarnation = c.incarnation AND w.seq < c.seq AND w.idle = (c.operation IS NULL)
    AND NOT w.draining AND NOT w.drain_requested AND w.kinds = c.kinds AND w.host = c.host AND w.entry = c.entry
  FOR UPDATE OF w SKIP LOCKED
), doing AS MATERIALIZED (
  SELECT c.*, a.stretch, o.unit AS before, o.metrics_through AS through,
         coalesce(c.unit >= o.unit, false) AS newer,
         coalesce(c.unit >= o.unit AND (c.unit, c.units, c.fraction, c.message) IS DISTINCT FROM
                  (o.unit, o.units, o.fraction, o.progress_message::text), false) AS moved
  FROM able a JOIN call c ON c.n = a.n JOIN research_operation o ON o.id = c.operation
  WHERE o.status = 'running' AND o.worker_id = a.id AND o.incarnation = c.incarnation
  FOR UPDATE OF o SKIP LOCKED
), measured AS (
  INSERT INTO research_measure (operation_id, unit, "values")
  SELECT d.operation, m.unit, m.point FROM metric m JOIN doing d ON d.n = m.n WHERE m.unit > d.through
  ON CONFLICT DO NOTHING
), progressed AS (
  UPDATE research_operation o SET
    lease_expires_at = clock_timestamp() + make_interval(secs => %(lease)s * d.stretch), reported = true,
    metrics_through = greatest(d.through, (SELECT max(m.unit) FROM metric m WHERE m.n = d.n)),
    unit = CASE WHEN d.newer THEN d.unit ELSE o.unit END, units = CASE WHEN d.newer THEN d.units ELSE o.units END,
    fraction = CASE WHEN d.newer THEN d.fraction ELSE o.fraction END,
    progress_message = CASE WHEN d.newer THEN d.message ELSE o.progress_message END,
    progressed_at = CASE WHEN d.unit > d.before THEN clock_timestamp() ELSE o.progressed_at END
  FROM doing d WHERE o.id = d.operation
  RETURNING d.n, o.metrics_through, CASE WHEN d.moved THEN o.id END AS moved
), heard AS (
  UPDATE research_worker w SET seq = c.seq, last_seen_at = clock_timestamp(),
    lease_s = %(lease)s * a.stretch, heartbeat_s = %(heartbeat)s * a.stretch
  FROM able a JOIN call c ON c.n = a.n
  WHERE w.id = a.id AND (c.operation IS NULL OR c.n IN (SELECT d.n FROM doing d))
  RETURNING c.n, w.lease_s, w.heartbeat_s
)
SELECT h.n, h.lease_s, h.heartbeat_s, p.metrics_through,
       CASE WHEN p.moved IS NOT NULL
            THEN pg_notify(%(channel)s, json_build_object('kind', 'operation', 'id', p.moved)::text) END,
       set_config('synchronous_commit', %(durable)s, true)
FROM heard h LEFT JOIN progressed p ON p.n = h.n
"""  # noqa: S608 - our own constants


def plain(request: SyncRequest) -> bool:
    """It asks for nothing but to be heard: idle, or with one operation that goes on."""
    if request.session is None or request.draining or len(request.operations) > 1:
        return False
    return all(one.state == "running" and one.result is None and one.error is None for one in request.operations)


def beat(calls: Sequence[tuple[SyncRequest, str]]) -> list[SyncAnswer | None]:
    """Apply those of the calls (each with the address it came through) that are plain; None for the others.

    An answer without operations is that of an idle worker, which may be given work.
    """
    answers: list[SyncAnswer | None] = [None] * len(calls)
    chosen = list(_one_each(calls))
    if not chosen:
        return answers
    with connection.cursor() as cursor:
        cursor.execute(_BEAT, _parameters(calls, chosen))
        for n, lease, heartbeat, through, *_ in cursor.fetchall():
            answers[n] = _answer(calls[n][0], lease, heartbeat, through)
    return answers


def _one_each(calls: Sequence[tuple[SyncRequest, str]]) -> Iterable[int]:
    """Indices of plain calls, one of each worker: two in one statement would be applied in no order."""
    seen: set[str] = set()
    for n, (request, _) in enumerate(calls):
        if request.worker not in seen and plain(request):
            yield n
        seen.add(request.worker)


def _parameters(calls: Sequence[tuple[SyncRequest, str]], chosen: Sequence[int]) -> dict[str, Any]:
    env = settings.ENV
    rows = [_row(n, *calls[n]) for n in chosen]
    metrics = [
        (n, point.unit, json.dumps(storable(point.values)))
        for n in chosen for report in calls[n][0].operations for point in report.metrics
    ]  # fmt: skip
    return {
        **{name: [row[name] for row in rows] for name in rows[0]},
        "metric_n": [n for n, _, _ in metrics], "metric_unit": [unit for _, unit, _ in metrics],
        "metric_values": [values for _, _, values in metrics],
        "lease": env.lease, "heartbeat": env.heartbeat, "wanted": wanted(), "easing": EASING, "channel": CHANNEL,
        # A heartbeat that a crash of the database forgets is said again; a measure that was acknowledged is not.
        "durable": "on" if metrics else "off",
    }  # fmt: skip


def _row(n: int, request: SyncRequest, entry: str) -> dict[str, Any]:
    report = request.operations[0] if request.operations else None
    progress = report.progress if report else None
    return {
        "n": n, "worker": request.worker, "incarnation": request.incarnation, "session": request.session,
        "seq": request.seq, "kinds": json.dumps(request.kinds), "host": json.dumps(storable(request.host)),
        "entry": entry[:200], "operation": report.id if report else None,
        "unit": progress.unit if progress else None, "units": progress.units if progress else None,
        "fraction": progress.fraction if progress else None,
        "message": storable(progress.message) if progress else None,
    }  # fmt: skip


def _answer(request: SyncRequest, lease: float, heartbeat: float, through: int | None) -> SyncAnswer:
    going_on = [OperationAnswer(id=one.id, verdict="continue", metrics_through=through) for one in request.operations]
    return SyncAnswer(session=request.session or 0, operations=going_on, lease=lease, heartbeat=heartbeat)
