"""Invariant 2: nothing changes without its event, and the events have no gap."""

from __future__ import annotations

from typing import Final

from research.selectors.invariants.base import Invariant

INVARIANTS: Final = (
    Invariant("events_without_gap", 2, "Events are numbered from 1 without a gap.", """
        SELECT 'event ' || seq AS subject,
               CASE WHEN seq = before THEN 'has the number of another' ELSE 'follows number ' || before END AS what
        FROM (SELECT seq, lag(seq, 1, 0::bigint) OVER (ORDER BY seq, id) AS before FROM research_event) AS numbered
        WHERE seq <> before + 1
        UNION ALL
        SELECT 'event counter', 'stands at ' || c.last || ', the last event is ' || coalesce(max(e.seq), 0)
        FROM research_eventcounter c LEFT JOIN research_event e ON true
        GROUP BY c.last HAVING c.last <> coalesce(max(e.seq), 0)"""),
    # A restored copy counts transactions anew, so the same number is the same transaction only within a short time.
    Invariant("events_in_commit_order", 2, "Events stand in the order of the commits.", """
        SELECT 'event ' || seq AS subject, 'is older than the one before it' AS what
        FROM (SELECT seq, at, lag(at) OVER (ORDER BY seq) AS before FROM research_event) AS timed WHERE at < before
        UNION ALL
        SELECT 'event ' || later.seq, 'is of the transaction of event ' || later.same || ', others stand between'
        FROM (SELECT seq, at, lag(seq) OVER w AS same, lag(at) OVER w AS same_at
              FROM research_event WINDOW w AS (PARTITION BY xact ORDER BY seq)) AS later
        WHERE later.seq <> later.same + 1 AND later.at < later.same_at + interval '1 minute'"""),
    Invariant("operation_has_events", 2, "Every change of an operation's status has its one event.", """
        SELECT 'operation ' || o.id AS subject, 'has ' || said.times || ' events of its ' || said.what AS what
        FROM research_operation o CROSS JOIN LATERAL (
          SELECT count(*) FILTER (WHERE code IN ('operation.queued', 'operation.restarted')) AS queued,
                 count(*) FILTER (WHERE code = 'operation.started') AS started,
                 count(*) FILTER (WHERE code IN ('operation.completed', 'operation.cancelled', 'operation.orphaned',
                   'operation.interrupted', 'operation.timed_out', 'operation.crashed', 'operation.error',
                   'operation.invalid_input', 'operation.gave_up')) AS ended,
                 count(*) FILTER (WHERE code = 'operation.' || CASE o.status WHEN 'failed' THEN o.reason
                                                               ELSE o.status END) AS fitting
          FROM research_event WHERE operation_id = o.id) AS heard
        CROSS JOIN LATERAL (
          SELECT 'creation' AS what, heard.queued AS times WHERE heard.queued <> 1
          UNION ALL SELECT 'start', heard.started WHERE heard.started = 0 AND o.started_at IS NOT NULL
          UNION ALL SELECT 'start, which never was,', heard.started WHERE heard.started > 0 AND o.started_at IS NULL
          UNION ALL SELECT 'end', heard.ended WHERE heard.ended <> 1
            AND o.status IN ('completed', 'failed', 'cancelled')
          UNION ALL SELECT 'end as ' || o.status || ' ' || o.reason, 0 WHERE heard.ended = 1
            AND o.status IN ('completed', 'failed', 'cancelled') AND heard.fitting = 0
          UNION ALL SELECT 'end, which is not yet,', heard.ended WHERE o.status IN ('queued', 'running')
            AND heard.ended > 0) AS said"""),
    Invariant("research_has_events", 2, "Every change of a research's state has its event.", """
        SELECT 'research ' || r.id AS subject,
               'is ' || r.state || ', but the last event says ' || coalesce(last.code, 'nothing') AS what
        FROM research_research r LEFT JOIN LATERAL (
          SELECT code FROM research_event WHERE research_id = r.id AND code IN ('research.created', 'research.begun',
            'research.resumed', 'research.training', 'research.backtesting', 'research.assessing', 'research.completed',
            'research.failed', 'research.cancelled') ORDER BY seq DESC LIMIT 1) AS last ON true
        WHERE NOT coalesce(CASE last.code
            WHEN 'research.created' THEN r.state = 'pending' WHEN 'research.resumed' THEN r.state = 'pending'
            WHEN 'research.begun' THEN r.state IN ('designing', 'training', 'backtesting', 'assessing')
            ELSE last.code = 'research.' || r.state END, false)"""),
    Invariant("events_of_their_research", 2, "An event of an operation names that operation's research.", """
        SELECT 'event ' || e.seq AS subject,
               'is of operation ' || o.id || ', but names research ' || coalesce(e.research_id::text, 'none') AS what
        FROM research_event e JOIN research_operation o ON o.id = e.operation_id
        WHERE e.research_id IS DISTINCT FROM o.research_id"""),
)  # fmt: skip
