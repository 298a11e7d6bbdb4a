"""What a live connection says to the browser. Pushes name what changed and carry no content of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from research.models import Event

if TYPE_CHECKING:
    from datetime import datetime

    from research.live.subscription import News

MOST_MISSED = 50


def hello(*, seq: int, now: datetime, live: bool, missed: list[dict[str, Any]], more: int) -> dict[str, Any]:
    """First frame. `missed`: newest events after the one the browser saw last; `more`: how many beyond those."""
    return {"type": "hello", "seq": seq, "now": now.isoformat(), "live": live, "missed": missed, "more": more}


def of(news: News, now: datetime) -> dict[str, Any]:
    """`stale`, `resync`, `changes` (["research:7", …]) or `pulse`."""
    frame: dict[str, Any] = {"seq": news.seq, "now": now.isoformat()}
    if not news.connected:
        return frame | {"type": "stale"}
    if news.resync:
        return frame | {"type": "resync"}
    changes = sorted(f"{push.kind}:{push.id}" for push in news.pushes)
    return frame | {"type": "changes" if changes else "pulse", "changes": changes, "pulse": news.pulse}


def missed_since(seq: int, upto: int) -> tuple[list[dict[str, Any]], int]:
    """The events after `seq`, oldest first: at most `MOST_MISSED` newest, and how many more there were."""
    if not 0 < seq < upto:
        return [], 0
    newest = Event.objects.filter(seq__gt=seq, seq__lte=upto).order_by("-seq")[:MOST_MISSED]
    events = [
        {"seq": event.seq, "at": event.at.isoformat(), "level": event.level, "message": event.message,
         "research": event.research_id}
        for event in reversed(newest)
    ]  # fmt: skip
    return events, max(upto - seq - len(events), 0)
