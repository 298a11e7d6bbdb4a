"""Runs every invariant over one snapshot of the database."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction

from research.selectors.invariants import chains, lives, records, results
from research.selectors.invariants.base import MOST, Breach
from research.selectors.invariants.stored import damaged

if TYPE_CHECKING:
    from research.selectors.invariants.base import Invariant

INVARIANTS: tuple[Invariant, ...] = (*lives.INVARIANTS, *records.INVARIANTS, *chains.INVARIANTS, *results.INVARIANTS)

_COUNTS = """
SELECT (SELECT count(*) FROM research_research), (SELECT count(*) FROM research_operation),
       (SELECT count(*) FROM research_event), (SELECT count(*) FROM research_checkpoint)
"""


@dataclass(frozen=True, slots=True)
class Report:
    """`counts`: how many rows of each kind were looked at. At most 200 breaches of each invariant are named."""

    invariants: int
    counts: dict[str, int]
    breaches: list[Breach] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        return not self.breaches

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        breaches = [breach.as_dict() for breach in self.breaches]
        return {"clean": self.clean, "invariants": self.invariants, "counts": self.counts, "breaches": breaches}


def check(*, deep: bool = False) -> Report:
    """Look for rows that break an invariant; `deep` also reads every stored file and compares its SHA-256.

    Everything is read in one snapshot, so that a change under way is seen whole or not at all.
    """
    breaches: list[Breach] = []
    own = not connection.in_atomic_block  # else the snapshot is that of the transaction around
    with transaction.atomic(), connection.cursor() as cursor:
        if own:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        for one in INVARIANTS:
            cursor.execute(f"SELECT subject, what FROM ({one.sql}) AS broken LIMIT {MOST}")  # noqa: S608 - our own
            breaches += [Breach(one.code, one.number, one.sentence, *row) for row in cursor.fetchall()]
        cursor.execute(_COUNTS)
        counts = dict(zip(("researches", "operations", "events", "checkpoints"), cursor.fetchone(), strict=True))
    if deep:
        breaches += damaged()
    return Report(len(INVARIANTS) + int(deep), counts, breaches)
