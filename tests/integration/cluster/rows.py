"""A research in its design, with an operation that waits to be run."""

from __future__ import annotations

from research.lifecycle.states import Kind, State
from research.models import Dataset, Operation, Research
from research.models.clock import database_now
from research.services import operations
from research.services.change import change


def queued_design() -> Operation:
    now = database_now()
    dataset = Dataset.objects.create(
        symbol="TEST", timeframe="1d", sha256="0" * 64, size=1, blob="none", bars=1, first_at=now, last_at=now
    )
    research = Research.objects.create(
        brief="held", state=State.DESIGNING, symbol="TEST", timeframe="1d", seed=1, dataset=dataset, started_at=now
    )
    with change() as record:
        operation = operations.create(record, research, Kind.DESIGN, spec={}, attempt=1)
    assert operation.status == "queued"
    return operation
