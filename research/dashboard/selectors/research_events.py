"""What happened to this research, the newest first, with the evidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from research.dashboard.selectors.research_evidence import Fact, facts
from research.models import Event, Level, Topic

if TYPE_CHECKING:
    from research.dashboard.selectors.research_rows import Rows

MOST = 200
_TONES = {Level.WARNING: "warn", Level.ERROR: "bad"}


@dataclass(frozen=True, slots=True)
class Entry:
    event: Event
    tone: str
    evidence: list[Fact]


@dataclass(frozen=True, slots=True)
class Events:
    """`earlier` are not listed."""

    follows: str
    entries: list[Entry]
    earlier: int


def events(rows: Rows) -> Events:
    found = Event.objects.filter(research_id=rows.research.pk)
    newest = list(found.order_by("-seq")[:MOST])
    earlier = found.count() - len(newest) if len(newest) == MOST else 0
    return Events(rows.follows, [Entry(one, _tone(one), facts(one.data)) for one in newest], earlier)


def _tone(event: Event) -> str:
    if event.level == Level.INFO and event.topic == Topic.RECOVERY:
        return "good"
    return _TONES.get(Level(event.level), "quiet")
