"""Follows researches in the terminal to their ends, whatever restarts meanwhile: it only reads, and waits."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from django.db import InterfaceError, OperationalError, connection

from research.lifecycle.states import ENDED, State
from research.management.researches.progress import Progress
from research.management.researches.verdict import TONE, tell
from research.management.terminal import Out
from research.models import Cover
from research.models.clock import database_now
from research.models.event import Level, Topic
from research.selectors import events, researches
from research.selectors.waiting import Situation
from research.services.cover import GAP_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from research.models import Event

LOOK_EVERY_S = 0.2
INTERRUPTED: Final = 130
_TOLD_AT_THE_END = {"research.completed", "research.created"}
_WEB_IS_DOWN = "no web server can hear the workers: they go on, and report when it is back"


def follow_all(out: Out, ids: Sequence[int], *, as_json: bool = False, since: int = 0) -> int:
    """Follow to the ends; then say the verdicts, or with `as_json` print what `research show --json` would.

    `since`: the number of the last event not to be shown. Returns 0 when all completed, 1 otherwise, 130 after Ctrl-C.
    """
    if code := watch(Out(sys.stderr) if as_json else out, ids, since=since):
        return code
    found = [researches.detail(researches.get(one)) for one in ids]
    if as_json:
        out.json(found[0] if len(found) == 1 else found)
    else:
        _conclude(out, found)
    return 0 if all(one["state"] == State.COMPLETED for one in found) else 1


def watch(out: Out, ids: Sequence[int], *, since: int = 0) -> int:
    """Show what happens until all are over; returns 0, or 130 after Ctrl-C."""
    follower = _Follower(Progress(out), list(ids), since)
    try:
        while not follower.look():
            time.sleep(LOOK_EVERY_S)
    except KeyboardInterrupt:
        follower.progress.clear()
        goes = f"research {ids[0]} goes" if len(ids) == 1 else "the researches go"
        out.line(f"Not followed any more; {goes} on. See: manage.py research follow {' '.join(map(str, ids))}")
        return INTERRUPTED
    return 0


@dataclass(slots=True)
class _Follower:
    progress: Progress
    ids: list[int]
    seen: int
    cut_off: bool = field(default=False)

    def look(self) -> bool:
        """Show what is new. True when all are over. A database that is away is waited for."""
        try:
            self._reconnect()
            return self._look()
        except (OperationalError, InterfaceError):
            connection.close()
            if not self.cut_off:
                self.progress.say("The database does not answer; waiting for it. Nothing is lost.", "warn")
            self.cut_off = True
            return False

    def _reconnect(self) -> None:
        if self.cut_off:
            connection.ensure_connection()
            self.progress.say("The database is back.", "good")
        self.cut_off = False

    def _look(self) -> bool:
        situation = Situation()
        rows = researches.summaries_of(self.ids, situation)
        self._tell()
        over = all(row["state"] in ENDED for row in rows)
        self.progress.show(rows, "" if over or _heard() else _WEB_IS_DOWN)
        if over:
            self.progress.clear()
        return over

    def _tell(self) -> None:
        for event in events.since(self.seen, limit=events.MOST):
            self.seen = event.seq
            if event.research_id in self.ids and _worth_telling(event):
                self.progress.say(event.message, _tone(event), event.at)


def _worth_telling(event: Event) -> bool:
    if event.code in _TOLD_AT_THE_END:
        return False
    return event.level != Level.INFO or event.topic in (Topic.RECOVERY, Topic.OPERATOR, Topic.RESEARCH)


def _tone(event: Event) -> str:
    return {Level.ERROR: "bad", Level.WARNING: "warn"}.get(
        Level(event.level), "busy" if event.topic == "recovery" else ""
    )


def _heard() -> bool:
    """Some web process can hear workers."""
    cover = Cover.objects.first()
    return cover is not None and (database_now() - cover.noted_at).total_seconds() <= GAP_S


def _conclude(out: Out, found: Sequence[dict[str, Any]]) -> None:
    out.line()
    for one in found:
        if one["state"] != State.COMPLETED:
            out.line(out.tint(f"Research {one['id']} {one['state']}: {one['message']}", "bad"))
            out.line(f"To go on where it stopped: manage.py research resume {one['id']}")
        elif len(found) == 1:
            tell(out, one)
        else:
            label = one["verdict"]["label"]
            first = next(iter(one["verdict"].get("why", [])), label)
            out.line(f"Research {one['id']}: {out.tint(first, TONE.get(label, ''))}")
