"""What an invariant is: a sentence that must hold, and the query that finds what breaks it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

MOST = 200


@dataclass(frozen=True, slots=True)
class Invariant:
    """`number` is that of the contract's section 2. `sql` returns two texts a row: what breaks it, and how."""

    code: str
    number: int
    sentence: str
    sql: str


@dataclass(frozen=True, slots=True)
class Breach:
    """`subject` is such as "operation 12"."""

    invariant: str
    number: int
    sentence: str
    subject: str
    what: str

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)
