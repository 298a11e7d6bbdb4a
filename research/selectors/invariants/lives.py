"""Invariants 1, 3, 5 and 6: what a research and an operation may be at any moment."""

from __future__ import annotations

from typing import Final

from research.selectors.invariants.base import Invariant

INVARIANTS: Final = (
    Invariant("one_live_operation", 1, "A research has at most one live operation.", """
        SELECT 'research ' || research_id AS subject,
               'has live operations ' || string_agg(id::text, ', ' ORDER BY id) AS what
        FROM research_operation WHERE status IN ('queued', 'running') GROUP BY research_id HAVING count(*) > 1"""),
    Invariant("one_completed_operation", 1, "A research has at most one completed operation of each kind.", """
        SELECT 'research ' || research_id AS subject,
               'completed its ' || kind || ' in operations ' || string_agg(id::text, ', ' ORDER BY id) AS what
        FROM research_operation WHERE status = 'completed' GROUP BY research_id, kind HAVING count(*) > 1"""),
    Invariant("live_needs_active", 1, "A live operation belongs to a research that is in its phase.", """
        SELECT 'operation ' || o.id AS subject,
               o.kind || ' is ' || o.status || ', but research ' || r.id || ' is ' || r.state AS what
        FROM research_operation o JOIN research_research r ON r.id = o.research_id
        WHERE o.status IN ('queued', 'running') AND ktrdr_phase_of(r.state) IS DISTINCT FROM o.kind"""),
    Invariant("phases_in_order", 1, "A research is in a phase only after the phases before it left their results.", """
        SELECT 'research ' || r.id AS subject, r.state || ' without ' || missing.what AS what
        FROM research_research r CROSS JOIN LATERAL (
          SELECT 'a strategy' AS what WHERE r.state <> 'designing' AND r.strategy_id IS NULL AND r.given IS NULL
          UNION ALL SELECT 'a completed training' WHERE r.state IN ('backtesting', 'assessing', 'completed')
            AND NOT EXISTS (SELECT 1 FROM research_operation WHERE research_id = r.id AND kind = 'training'
                            AND status = 'completed')
          UNION ALL SELECT 'a completed backtest' WHERE r.state IN ('assessing', 'completed')
            AND NOT coalesce((r.gates -> 'training' ->> 'skip_backtest')::boolean, false)
            AND NOT EXISTS (SELECT 1 FROM research_operation WHERE research_id = r.id AND kind = 'backtest'
                            AND status = 'completed')
          UNION ALL SELECT 'a completed assessment' WHERE r.state = 'completed'
            AND NOT EXISTS (SELECT 1 FROM research_operation WHERE research_id = r.id AND kind = 'assessment'
                            AND status = 'completed')) AS missing
        WHERE r.state IN ('designing', 'training', 'backtesting', 'assessing', 'completed')"""),
    Invariant("research_end", 3, "A research that is over says when, and why it failed or what was found.", """
        SELECT 'research ' || r.id AS subject, 'is ' || r.state || ', but ' || wrong.what AS what
        FROM research_research r CROSS JOIN LATERAL (
          SELECT 'has no end time' AS what WHERE r.state IN ('completed', 'failed', 'cancelled') AND r.ended_at IS NULL
          UNION ALL SELECT 'has an end time' WHERE r.state NOT IN ('completed', 'failed', 'cancelled')
            AND r.ended_at IS NOT NULL
          UNION ALL SELECT 'has no reason or no message' WHERE r.state IN ('failed', 'cancelled')
            AND (r.reason = '' OR r.message = '')
          UNION ALL SELECT 'has no verdict' WHERE r.state = 'completed' AND r.verdict IS NULL) AS wrong"""),
    Invariant("running_has_runner", 3, "A running operation has one runner, a start time, a lease and a deadline.", """
        SELECT 'operation ' || id AS subject, 'runs without a runner of its kind, start, lease or deadline' AS what
        FROM research_operation WHERE status = 'running' AND (runner = '' OR started_at IS NULL
          OR lease_expires_at IS NULL OR deadline_at IS NULL
          OR NOT CASE WHEN kind IN ('design', 'assessment') THEN cluster IS NOT NULL AND worker_id IS NULL
                      ELSE worker_id IS NOT NULL AND incarnation IS NOT NULL AND cluster IS NULL END)"""),
    Invariant("queued_has_no_runner", 3, "A queued operation has no runner and has not begun.", """
        SELECT 'operation ' || id AS subject, 'is queued, but has the runner ' || quote_literal(runner) AS what
        FROM research_operation WHERE status = 'queued'
        AND (runner <> '' OR started_at IS NOT NULL OR worker_id IS NOT NULL OR cluster IS NOT NULL)"""),
    Invariant("operation_end", 3, "A finished operation has an end time; one that failed a reason and a message.", """
        SELECT 'operation ' || o.id AS subject, 'is ' || o.status || ', but ' || wrong.what AS what
        FROM research_operation o CROSS JOIN LATERAL (
          SELECT 'has no end time' AS what WHERE o.status IN ('completed', 'failed', 'cancelled') AND o.ended_at IS NULL
          UNION ALL SELECT 'has an end time' WHERE o.status IN ('queued', 'running') AND o.ended_at IS NOT NULL
          UNION ALL SELECT 'has no reason or no message' WHERE o.status IN ('failed', 'cancelled')
            AND (o.reason = '' OR o.message = '')
          UNION ALL SELECT 'has a reason: ' || o.reason WHERE o.status NOT IN ('failed', 'cancelled') AND o.reason <> ''
          UNION ALL SELECT 'never began' WHERE o.status = 'completed' AND o.started_at IS NULL
          UNION ALL SELECT 'ended before it began' WHERE o.ended_at < o.started_at) AS wrong"""),
    Invariant("one_runner", 5, "An operation has exactly one runner in its whole life.", """
        SELECT 'operation ' || o.id AS subject, 'was begun ' || count(e.id) || ' times' AS what
        FROM research_operation o JOIN research_event e ON e.operation_id = o.id AND e.code = 'operation.started'
        GROUP BY o.id HAVING count(e.id) > 1
        UNION ALL
        SELECT 'operation ' || id, 'has a worker and a cluster as its runner' FROM research_operation
        WHERE worker_id IS NOT NULL AND cluster IS NOT NULL
        UNION ALL
        SELECT 'worker ' || w.name, 'runs operations ' || string_agg(o.id::text, ', ' ORDER BY o.id)
        FROM research_operation o JOIN research_worker w ON w.id = o.worker_id
        WHERE o.status = 'running' GROUP BY w.name HAVING count(*) > 1"""),
    Invariant("cancel_wins", 6, "Nothing of a cancelled research is accepted after it was cancelled.", """
        SELECT 'operation ' || o.id AS subject, 'was completed after research ' || r.id || ' was cancelled' AS what
        FROM research_operation o JOIN research_research r ON r.id = o.research_id
        WHERE r.state = 'cancelled' AND o.status = 'completed' AND o.ended_at > r.ended_at"""),
    Invariant("one_leader", 6, "One coordinator leads at a time.", """
        SELECT 'term ' || id AS subject, 'began while term ' || before || ' had not ended' AS what FROM (
          SELECT id, started_at, lag(id) OVER w AS before, lag(ended_at, 1, '-infinity') OVER w AS ended
          FROM research_term WINDOW w AS (ORDER BY id)) AS terms
        WHERE ended IS NULL OR ended > started_at"""),
)  # fmt: skip
