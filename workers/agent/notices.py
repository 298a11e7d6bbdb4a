"""The child's lines as events. A line that cannot be understood is logged and left out: it ends nobody's work."""

from __future__ import annotations

import json
import logging
from typing import Any

from pydantic import ValidationError

from workers.agent.messages import Told
from workers.protocol import MetricPoint, Progress

log = logging.getLogger("ktrdr.worker.notices")


def understand(operation: int, line: bytes) -> Told | None:
    """The event of one line of a child that runs `operation`; None when it says nothing."""
    try:
        facts = json.loads(line)
        return _told(operation, facts.pop("event"), facts)
    except (ValueError, KeyError, AttributeError, TypeError, ValidationError) as error:
        log.warning("operation %s: its process said something unknown (%s): %r", operation, error, line[:200])
        return None


def _told(operation: int, event: str, facts: dict[str, Any]) -> Told | None:
    match event:
        case "progress":
            return Told(operation, progress=Progress(**facts))
        case "metric":
            return Told(operation, metric=MetricPoint(**facts))
        case "checkpoint":
            return Told(operation, checkpoint=int(facts["unit"]))
        case "unusable":
            return Told(operation, unusable=str(facts["message"]) or "no reason given")
        case _:
            return None
