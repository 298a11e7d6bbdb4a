"""Invariant 9: checkpoints are kept while needed, and a result counts once and only when it is all there."""

from __future__ import annotations

from typing import Final

from research.selectors.invariants.base import Invariant

INVARIANTS: Final = (
    Invariant("checkpoint_in_use_is_kept", 9, "A checkpoint that a live operation goes on from is kept.", """
        SELECT 'checkpoint ' || c.id AS subject, 'was let go, but operation ' || o.id || ' goes on from it' AS what
        FROM research_operation o JOIN research_checkpoint c ON c.id = o.resumed_from_id
        WHERE o.status IN ('queued', 'running') AND c.pruned_at IS NOT NULL"""),
    Invariant("two_newest_are_kept", 9, "The two newest usable checkpoints of a phase that may go on are kept.", """
        SELECT 'checkpoint ' || id AS subject, 'was let go, though it is one of the two newest of its phase' AS what
        FROM (SELECT c.id, c.pruned_at, c.unusable,
                     row_number() OVER (PARTITION BY o.research_id, o.kind ORDER BY c.id DESC) AS place
              FROM research_checkpoint c JOIN research_operation o ON o.id = c.operation_id
              JOIN research_research r ON r.id = o.research_id WHERE r.state <> 'completed') AS newest
        WHERE place <= 2 AND pruned_at IS NOT NULL AND unusable = ''"""),
    Invariant("stored_while_running", 9, "Only an operation that ran has checkpoints and artifacts.", """
        SELECT 'operation ' || o.id AS subject, 'never began, but has a stored ' || stored.what AS what
        FROM research_operation o JOIN (SELECT operation_id, 'checkpoint' AS what FROM research_checkpoint
          UNION SELECT operation_id, 'artifact' FROM research_artifact) AS stored ON stored.operation_id = o.id
        WHERE o.started_at IS NULL"""),
    Invariant("completed_has_result", 9, "A completed operation has its result; no other has one.", """
        SELECT 'operation ' || id AS subject, 'is ' || status || ' and has '
               || CASE WHEN result IS NULL THEN 'no result' ELSE 'a result' END AS what
        FROM research_operation WHERE (status = 'completed') <> (result IS NOT NULL)"""),
    Invariant("artifacts_are_there", 9, "Every artifact that an accepted result lists is stored with that SHA-256.", """
        SELECT 'operation ' || o.id AS subject, 'lists ' || listed.key || ', '
               || CASE WHEN a.id IS NULL THEN 'which is not stored'
                  ELSE 'but what is stored has the SHA-256 ' || left(a.sha256, 12) || '…' END AS what
        FROM research_operation o
        CROSS JOIN LATERAL jsonb_each(CASE jsonb_typeof(o.result -> 'artifacts') WHEN 'object'
                                      THEN o.result -> 'artifacts' ELSE '{}' END) AS listed
        LEFT JOIN research_artifact a ON a.operation_id = o.id AND a.name = listed.key
        WHERE o.status = 'completed'
        AND (a.id IS NULL OR a.sha256 IS DISTINCT FROM coalesce(listed.value ->> 'sha256', a.sha256))"""),
    Invariant("one_trial", 9, "Each completed research is one trial in the ledger; done again, it is none.", """
        SELECT 'research ' || r.id AS subject, 'is completed and has ' || count(t.id) || ' trials' AS what
        FROM research_research r LEFT JOIN research_trial t ON t.research_id = r.id
        WHERE r.state = 'completed'
        GROUP BY r.id HAVING count(t.id) <> (r.reproduces_id IS NULL AND r.holdout_of_id IS NULL)::int
        UNION ALL
        SELECT 'trial ' || t.id, 'is of research ' || r.id || ', which is ' || r.state
        FROM research_trial t JOIN research_research r ON r.id = t.research_id WHERE r.state <> 'completed'"""),
)  # fmt: skip
