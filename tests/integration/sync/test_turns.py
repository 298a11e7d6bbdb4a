"""Whose turn it is when a worker asks for work."""

from __future__ import annotations

import pytest

from research.lifecycle.states import State
from research.models import Research, Worker
from research.selectors.researches import summaries_of
from research.selectors.waiting import Situation
from research.services.sync import assign
from tests.integration.services_data import rows

pytestmark = pytest.mark.django_db(transaction=True)


def idle(name: str = "gpu") -> Worker:
    worker = rows.worker(name)
    Worker.objects.filter(pk=worker.pk).update(idle=True, seq=5)
    return worker


def test_a_research_that_lost_its_worker_keeps_its_turn() -> None:
    worker = idle()
    first, second = rows.research(), rows.research()
    lost = rows.lost(rows.running(worker, first))
    rows.queued(second)
    again = rows.queued(first, continues=lost.pk, attempt=2)

    situation = Situation()
    summaries = {one["id"]: one["waiting_for"] for one in summaries_of([first.pk, second.pk], situation)}
    assert (summaries[first.pk], summaries[second.pk]) == ("", "1 ahead of it")
    given = assign("gpu", 1, 5, ["training"])
    assert given is not None
    assert given.id == again.pk


def test_a_higher_priority_goes_first() -> None:
    idle()
    rows.queued(rows.research())
    urgent = rows.research(State.TRAINING)
    Research.objects.filter(pk=urgent.pk).update(priority=5)
    expected = rows.queued(urgent)
    given = assign("gpu", 1, 5, ["training"])
    assert given is not None
    assert given.id == expected.pk
