"""Which researches a reader asks for: state, market, verdict, words, order and page, as the address says it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from research.lifecycle.states import State

if TYPE_CHECKING:
    from collections.abc import Mapping

ACTIVE_ONES, ENDED_ONES = "active", "ended"
STATES: Final = (
    ("", "every state"), (ACTIVE_ONES, "active or pending"), (ENDED_ONES, "over"),
    *((state.value, state.label.lower()) for state in State),
)  # fmt: skip
VERDICTS: Final = (
    ("", "every verdict"), ("promising", "promising"), ("inconclusive", "inconclusive"), ("reject", "reject"),
)  # fmt: skip
ORDERS: Final = (
    ("-id", "newest first"), ("id", "oldest first"), ("-sharpe", "best Sharpe ratio first"),
    ("sharpe", "worst Sharpe ratio first"), ("-ended", "last ended first"), ("ended", "first ended first"),
    ("market", "market, A to Z"), ("-market", "market, Z to A"), ("state", "state, A to Z"),
    ("-state", "state, Z to A"),
)  # fmt: skip
LONGEST_WORDS, LAST_PAGE = 200, 100_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """`market` is `SYMBOL timeframe`, `q` is searched in brief and name of the strategy. Empty: all of them."""

    state: str = ""
    market: str = ""
    verdict: str = ""
    q: str = ""
    sort: str = "-id"
    page: int = 1

    @classmethod
    def of(cls, given: Mapping[str, str]) -> Wanted:
        """What makes no sense is as if it was not there."""
        page, words = given.get("page", "1"), given.get("q", "").replace("\0", " ").split()
        return cls(
            _one_of(STATES, given.get("state", "")), given.get("market", "")[:48],
            _one_of(VERDICTS, given.get("verdict", "")), " ".join(words)[:LONGEST_WORDS],
            _one_of(ORDERS, given.get("sort", "")) or "-id",
            min(max(int(page), 1), LAST_PAGE) if page.isascii() and page.isdecimal() and len(page) < 9 else 1,
        )  # fmt: skip

    @property
    def narrowed(self) -> bool:
        """Something is left out."""
        return bool(self.state or self.market or self.verdict or self.q)

    @property
    def query(self) -> str:
        """The address's `?…` that asks for this; empty for everything."""
        said = {one.name: getattr(self, one.name) for one in fields(self) if getattr(self, one.name) != one.default}
        return f"?{urlencode(said)}" if said else ""

    def on_page(self, page: int) -> str:
        return replace(self, page=page).query

    def sorted_by(self, key: str) -> str:
        """By this column; once more turns it round. Figures begin with the largest."""
        first, second = (key, f"-{key}") if key in {"market", "state"} else (f"-{key}", key)
        return replace(self, sort=second if self.sort == first else first, page=1).query


def _one_of(choices: tuple[tuple[str, str], ...], given: str) -> str:
    return given if any(given == value for value, _ in choices) else ""
