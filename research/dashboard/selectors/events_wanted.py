"""Which events a reader asks for, as the address says it."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from research.models import Event, Level, Topic

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.models import QuerySet

LARGEST = 2**63 - 1
TROUBLE = "trouble"
LEVELS = (("", "every level"), (TROUBLE, "warnings and errors"), *((one.value, one.label.lower()) for one in Level))
TOPICS = (("", "every topic"), *((one.value, one.label.lower()) for one in Topic))


@dataclass(frozen=True, slots=True)
class Wanted:
    """Numbers are 0 for any. `before` is the number of the event to go on below."""

    topic: str = ""
    level: str = ""
    research: int = 0
    worker: str = ""
    before: int = 0

    @classmethod
    def of(cls, given: Mapping[str, str]) -> Wanted:
        """What makes no sense is as if it was not there."""
        topic, level = given.get("topic", ""), given.get("level", "")
        return cls(
            topic if topic in Topic else "", level if level in {*Level, TROUBLE} else "",
            _number(given.get("research", "")), given.get("worker", "").replace("\0", "").strip()[:63],
            _number(given.get("before", "")),
        )  # fmt: skip

    @property
    def narrowed(self) -> bool:
        """Something is left out, the older ones aside."""
        return bool(self.topic or self.level or self.research or self.worker)

    @property
    def query(self) -> str:
        """The address's `?…` that asks for this; empty for everything."""
        said = {one.name: getattr(self, one.name) for one in fields(self) if getattr(self, one.name)}
        return f"?{urlencode(said)}" if said else ""

    def below(self, seq: int) -> Wanted:
        return replace(self, before=seq)

    def found(self) -> QuerySet[Event]:
        """The newest first."""
        rows = Event.objects.order_by("-seq")
        if self.topic:
            rows = rows.filter(topic=self.topic)
        if self.level:
            rows = rows.filter(level__in=[Level.WARNING, Level.ERROR] if self.level == TROUBLE else [self.level])
        if self.research:
            rows = rows.filter(research_id=self.research)
        if self.worker:
            rows = rows.filter(worker=self.worker)
        return rows.filter(seq__lt=self.before) if self.before else rows


def _number(text: str) -> int:
    text = text.strip().removeprefix("#")
    return min(int(text), LARGEST) if text.isascii() and text.isdecimal() and len(text) < 20 else 0
