"""A drain asked for from afar is about the process that was at work then, not about the one that comes after it."""

from __future__ import annotations

import pytest

from research.models import Worker
from research.services import workers
from tests.support import factories
from tests.support.caller import Caller

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.scenario(14)
def test_the_next_process_of_the_name_is_not_sent_away_by_the_answer_to_its_first_call() -> None:
    old = factories.worker("gpu")
    workers.drain("gpu", user="ada")
    assert old.sync().drain, "the one that was asked hears it"
    new = Caller("gpu")
    first = new.sync()
    assert (bool(first.session), first.drain) == (True, False), "a session and nothing else"
    assert not new.sync().drain
    assert not Worker.objects.get(name="gpu").drain_requested
    assert factories.queued(factories.training_research()).pk == new.ask().id  # type: ignore[union-attr]
