"""Tries and questions for `next_step`, in few words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from research.lifecycle.states import Kind, Reason, State, Status
from research.lifecycle.step import Limits, Look, Restore, Step, Try, next_step

if TYPE_CHECKING:
    from collections.abc import Sequence

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
EVIDENCE = {"signal": "lock", "text": "its database session is gone"}


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def one(kind: Kind, status: Status, pk: int = 1, **fields: Any) -> Try:
    return Try(id=pk, kind=kind, status=status, **fields)


def lost(*reasons: Reason | str, kind: Kind = Kind.TRAINING, first: int = 1, **fields: Any) -> list[Try]:
    """Failed tries in a row, one for each reason; "orphaned+" made a new checkpoint first."""
    tries = []
    for n, reason in enumerate(reasons):
        units = {"best_unit": 10 * (n + 1)} if reason.endswith("+") else {}
        words = {"reason": reason.rstrip("+"), "message": f"Lost for the {n + 1}. time.", "attempt": n + 1}
        tries.append(one(kind, Status.FAILED, first + n, **(words | units | fields)))
    return tries


def decide(
    state: State, tries: Sequence[Try] = (), *, look: Look | None = None, restore: Restore | None = None,
    max_orphans: int = 5, counted_from: int = 0, now: datetime = NOW,
) -> Step:  # fmt: skip
    return next_step(state, tries, look or Look(), restore, now, Limits(max_orphans), counted_from)
