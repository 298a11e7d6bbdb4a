"""A page of the events, the newest first; keyset by their number, so that the oldest page is as quick as the first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from research.dashboard.selectors.events_wanted import LEVELS, TOPICS
from research.dashboard.selectors.research_evidence import Fact, facts
from research.models import Event, Level, Topic, Worker

if TYPE_CHECKING:
    from research.dashboard.selectors.events_wanted import Wanted

ON_A_PAGE, MOST_WORKERS = 100, 500
_TONES = {Level.WARNING: "warn", Level.ERROR: "bad"}


@dataclass(frozen=True, slots=True)
class Entry:
    event: Event
    tone: str
    evidence: list[Fact]


@dataclass(frozen=True, slots=True)
class Page:
    """`older` is the query of the next page, empty on the last; `any_at_all`: something was ever recorded."""

    wanted: Wanted
    entries: list[Entry]
    older: str
    any_at_all: bool

    @property
    def newest(self) -> str:
        return self.wanted.below(0).query


def page(wanted: Wanted) -> Page:
    found = list(wanted.found()[: ON_A_PAGE + 1])
    shown = found[:ON_A_PAGE]
    older = wanted.below(shown[-1].seq).query if len(found) > ON_A_PAGE else ""
    entries = [Entry(event, _tone(event), facts(event.data)) for event in shown]
    return Page(wanted, entries, older, any_at_all=bool(found) or Event.objects.exists())


def choices() -> dict[str, Any]:
    """What the form offers; `workers` are names."""
    names = list(Worker.objects.values_list("name", flat=True)[:MOST_WORKERS])
    return {"topics": TOPICS, "levels": LEVELS, "workers": names}


def _tone(event: Event) -> str:
    if event.level == Level.INFO and event.topic == Topic.RECOVERY:
        return "good"
    return _TONES.get(Level(event.level), "quiet")
