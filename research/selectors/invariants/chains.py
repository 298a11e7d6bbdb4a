"""Invariant 4: how operations go on from each other, and from which checkpoint."""

from __future__ import annotations

from typing import Final

from research.selectors.invariants.base import Invariant

INVARIANTS: Final = (
    Invariant("restart_continues", 4, "Each restart of a phase points at the operation of that phase before it.", """
        SELECT 'operation ' || id AS subject,
               CASE WHEN before IS NULL THEN 'is the first of its phase, but continues ' || continues_id
                    ELSE 'continues ' || coalesce(continues_id::text, 'nothing') || ', not operation ' || before
               END AS what
        FROM (SELECT id, continues_id, lag(id) OVER (PARTITION BY research_id, kind ORDER BY id) AS before
              FROM research_operation) AS tries
        WHERE continues_id IS DISTINCT FROM before"""),
    Invariant("continues_the_same", 4, "An operation goes on from an ended one of its own research and phase.", """
        SELECT 'operation ' || o.id AS subject, 'continues operation ' || p.id || ': ' || p.kind || ' of research '
               || p.research_id || ', ' || p.status AS what
        FROM research_operation o JOIN research_operation p ON p.id = o.continues_id
        WHERE p.research_id <> o.research_id OR p.kind <> o.kind OR p.id >= o.id
        OR p.status NOT IN ('failed', 'cancelled')"""),
    Invariant("attempts_count", 4, "Attempts count up from 1 within a phase; a resume begins again at 1.", """
        SELECT 'operation ' || o.id AS subject,
               'is try ' || o.attempt || ' after try ' || coalesce(p.attempt::text, 'none') AS what
        FROM research_operation o LEFT JOIN research_operation p ON p.id = o.continues_id
        WHERE o.attempt <> 1 AND o.attempt IS DISTINCT FROM p.attempt + 1"""),
    Invariant("restored_from_its_chain", 4, "A restored checkpoint is of its chain, at the unit it says.", """
        WITH RECURSIVE chain (id, ancestor) AS (
          SELECT id, continues_id FROM research_operation WHERE resumed_from_id IS NOT NULL AND continues_id IS NOT NULL
          UNION SELECT chain.id, o.continues_id FROM chain JOIN research_operation o ON o.id = chain.ancestor
          WHERE o.continues_id IS NOT NULL AND o.continues_id < chain.ancestor)
        SELECT 'operation ' || o.id AS subject, 'goes on from unit ' || coalesce(o.resumed_from_unit::text, 'none')
               || ' of checkpoint ' || coalesce(o.resumed_from_id::text, 'none') || ', ' || wrong.what AS what
        FROM research_operation o LEFT JOIN research_checkpoint c ON c.id = o.resumed_from_id CROSS JOIN LATERAL (
          SELECT 'which is not there' AS what WHERE c.id IS NULL
          UNION ALL SELECT 'which is of operation ' || c.operation_id || ', none before it in its chain'
            WHERE NOT EXISTS (SELECT 1 FROM chain WHERE chain.id = o.id AND chain.ancestor = c.operation_id)
          UNION ALL SELECT 'which lies at unit ' || c.unit WHERE c.unit IS DISTINCT FROM o.resumed_from_unit
          UNION ALL SELECT 'above the best unit of its chain' WHERE o.resumed_from_unit > (
            SELECT max(b.unit) FROM research_checkpoint b
            JOIN chain ON chain.ancestor = b.operation_id AND chain.id = o.id)
        ) AS wrong WHERE o.resumed_from_id IS NOT NULL OR o.resumed_from_unit IS NOT NULL"""),
    Invariant("unit_never_falls", 4, "An operation never stands below the unit it went on from.", """
        SELECT 'operation ' || id AS subject,
               'stands at unit ' || unit || ', went on from ' || resumed_from_unit AS what
        FROM research_operation WHERE unit < resumed_from_unit"""),
)  # fmt: skip
