"""What is wrong with a specification, where, and what was probably meant."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True, slots=True)
class Problem:
    """`path` is dotted, with list positions from 0: `rules.2.if.rsi14`."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class InvalidStrategy(ValueError):
    """Everything that is wrong with a specification, at once."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(list(problems))
        self.problems = list(problems)

    def __str__(self) -> str:
        count = len(self.problems)
        head = f"The strategy has {count} problem{'s' if count != 1 else ''}:"
        return "\n".join([head, *(f"- {problem}" for problem in self.problems)])


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`did you mean 'rsi'?`, or the list of what is known, to be put behind a message."""
    names = list(known)
    close = get_close_matches(str(word).lower(), names, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"known: {', '.join(names)}" if names else "none is known"
