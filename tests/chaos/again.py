"""`python -m tests.chaos.again`: each design and assessment once more, undisturbed, from its own seed and memory.

Prints one line for each that comes to something else than was accepted; the ledger, read up to `memory_seq`, is that of
the database in the environment. Nothing is written.
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

import django

if TYPE_CHECKING:
    from collections.abc import Iterator

    from research.models import Operation, Research


class Alone:
    """A `research.phases.base.Context` that nobody disturbs, without a checkpoint to go on from."""

    restore = None

    def __init__(self, operation: Operation) -> None:
        self.operation = operation
        self.research: Research = operation.research

    def guard(self) -> None: ...

    def progress(self, unit: int, units: int, message: str = "") -> None: ...

    def checkpoint(self, unit: int, payload: bytes) -> None: ...


def differences() -> Iterator[str]:
    """One line for each accepted result that is another now, and each verdict that is not its assessment's."""
    from research import phases
    from research.lifecycle.states import IN_PROCESS, Kind, Status
    from research.models import Operation

    done = Operation.objects.filter(kind__in=IN_PROCESS, status=Status.COMPLETED).select_related("research__strategy")
    for operation in done.order_by("id"):
        result = operation.result or {}
        if _plain(phases.get(operation.kind).run(Alone(operation))) != result:
            yield f"{operation.kind} {operation.pk} of research {operation.research_id} comes to something else now"
        if operation.kind == Kind.ASSESSMENT and operation.research.verdict != result.get("verdict"):
            yield f"research {operation.research_id} has another verdict than its assessment {operation.pk}"


def _plain(value: Any) -> Any:
    """As PostgreSQL gives it back."""
    return json.loads(json.dumps(value))


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "ktrdr_site.settings"
    django.setup()
    for line in differences():
        sys.stdout.write(line + "\n")
