"""A checkpoint is found unusable in the very moment the coordinator goes on from it."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from research.lifecycle.states import Kind
from research.models import Checkpoint, Operation, Research
from research.services import checkpoints, locks, operations
from research.services.change import change
from tests.support import factories
from tests.support.blobs import blob_dir
from tests.support.threads import aside, waits_for_a_lock
from tests.support.waiting import wait_until

__all__ = ["blob_dir"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.scenario(44)
def test_a_checkpoint_is_marked_before_somebody_goes_on_from_it_or_after_never_amid() -> None:
    """Amid, the database would refuse the new operation, and the research would fail of it."""
    lost = factories.orphaned_training(unit=5)
    saved = Checkpoint.objects.get(unit=5)
    row = Research.objects.get(pk=lost.research_id)
    with ExitStack() as afterwards, change() as record:
        locks.research(row.pk)
        marking = afterwards.enter_context(aside(lambda: checkpoints.mark_unusable(saved.pk, "It is cut off.")))
        wait_until(lambda: marking.done() or waits_for_a_lock(), what="it is marked, or waits for its turn")
        goes_on = {"attempt": 2, "continues": lost.pk, "restore": (saved.pk, 5)}
        created = operations.create(record, row, Kind.TRAINING, spec={}, **goes_on)
    assert marking.result(20)
    assert Operation.objects.get(pk=created.pk).resumed_from_id == saved.pk
    assert Checkpoint.objects.get(pk=saved.pk).unusable
