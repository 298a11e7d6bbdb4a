"""One change of state: a transaction, its events numbered as its last act, its push delivered with the commit."""

from __future__ import annotations

import json
import logging
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction

from research.models import Event, Level, Topic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from research.models import Operation, Research

CHANNEL = "ktrdr"
log = logging.getLogger("ktrdr.events")
_LOG_LEVELS = {Level.INFO: logging.INFO, Level.WARNING: logging.WARNING, Level.ERROR: logging.ERROR}


@dataclass(slots=True)
class Change:
    """Collects what the transaction did; written by `change()` when its block ends."""

    events: list[Event] = field(default_factory=list)
    touched: dict[tuple[str, int], None] = field(default_factory=dict)

    def event(
        self,
        topic: Topic,
        code: str,
        message: str,
        *,
        level: Level = Level.INFO,
        research: Research | int | None = None,
        operation: Operation | int | None = None,
        worker: str = "",
        user: str = "",
        **data: Any,
    ) -> None:
        """Record that something happened; `data` is the evidence (JSON-ready). What it is about is pushed too."""
        research_id = research if isinstance(research, int) or research is None else research.pk
        operation_id = operation if isinstance(operation, int) or operation is None else operation.pk
        self.events.append(
            Event(topic=topic, code=code, level=level, message=message, research_id=research_id,
                  operation_id=operation_id, worker=worker, user=user, data=data)
        )  # fmt: skip
        if research_id is not None:
            self.touch("research", research_id)

    def touch(self, kind: str, pk: int) -> None:
        """Push that this row changed, without an event (progress, heartbeats)."""
        self.touched[(kind, pk)] = None


@contextmanager
def change() -> Iterator[Change]:
    """Open the transaction of one change. Events become log lines only after the commit."""
    with transaction.atomic():
        collected = Change()
        yield collected
        _write(collected)
    for event in collected.events:
        log.log(_LOG_LEVELS[Level(event.level)], "%s %s", event.code, event.message)


def _write(collected: Change) -> None:
    if not collected.events and not collected.touched:
        return
    payloads = [json.dumps({"kind": kind, "id": pk}) for kind, pk in collected.touched]
    if collected.events:
        Event.objects.bulk_create(collected.events)
        payloads.append(json.dumps({"kind": "event", "id": 0}))
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, payload) FROM unnest(%s::text[]) AS payload", [CHANNEL, payloads])
