"""The evidence of an event (its `data`) as names and values to read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST = 4000


@dataclass(frozen=True, slots=True)
class Fact:
    """`block`: several lines, or structured."""

    name: str
    value: str
    block: bool = False


def facts(data: Mapping[str, Any]) -> list[Fact]:
    """What is there, in order; None and the empty are left out."""
    return [_fact(name, value) for name, value in data.items() if value not in (None, "", [], {})]


def _fact(name: str, value: Any) -> Fact:
    words = name.removesuffix("_s").replace("_", " ")
    if isinstance(value, dict | list):
        return Fact(words, json.dumps(value, indent=1, ensure_ascii=False)[:LONGEST], block=True)
    text = str(value)[:LONGEST]
    unit = " s" if name.endswith("_s") and isinstance(value, int | float) else ""
    return Fact(words, f"{text}{unit}", block="\n" in text)
