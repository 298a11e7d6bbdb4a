"""A process that froze inside a transaction wakes to a lost connection, and to nothing worse."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import psycopg
import pytest
from django.db import OperationalError, connection, transaction

from research.coordinator import apply
from research.lifecycle.states import State
from research.models import Event
from tests.integration.coordinator.cast import NONE, covered, state, tries
from tests.support import factories
from tests.support.blobs import blob_dir
from tests.support.database import database_url
from tests.support.sql import execute
from tests.support.waiting import wait_until
from workers import faults

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["blob_dir"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _impatient_session() -> Iterator[None]:
    """This session's transactions end after a tenth of a second without a statement, instead of 2.5 s."""
    execute("SET idle_in_transaction_session_timeout = '100ms'")
    yield
    connection.close()


@pytest.fixture
def _slow_to_decide(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The coordinator stands still between its decision and its first write."""
    monkeypatch.setenv("KTRDR_FAULTS", "coordinator.decided=pause:0.5@1")
    faults._plan.cache_clear()
    faults._passages.clear()
    yield
    monkeypatch.undo()
    faults._plan.cache_clear()


def _gone(pid: int) -> bool:
    with psycopg.connect(database_url()) as other:
        return other.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [pid]).fetchone() is None


def _stand_still() -> None:
    pid = connection.connection.info.backend_pid
    wait_until(lambda: _gone(pid), timeout=20, what="the session is ended")


def _one_that_stands_still(*later: str) -> None:
    with transaction.atomic():
        execute("SELECT 1")
        _stand_still()
        for sql in later:
            execute(sql)


def test_a_transaction_that_stood_still_was_lost_with_its_connection() -> None:
    with pytest.raises(OperationalError, match="idle-in-transaction"):
        _one_that_stands_still("SELECT 1")
    assert execute("SELECT 1") == 1, "the next statement connects again"


def test_a_commit_that_stood_still_was_lost_with_its_connection() -> None:
    with pytest.raises(OperationalError, match="idle-in-transaction"):
        _one_that_stands_still()


@pytest.mark.scenario(42)
@pytest.mark.usefixtures("_slow_to_decide")
def test_a_coordinator_that_froze_in_a_step_fails_no_research() -> None:
    covered()
    term, row = factories.term(), factories.training_research()
    with suppress(OperationalError):  # the loop's to mend, when its connection is of no use any more
        apply.advance(row.pk, term, NONE)
    assert state(row) == State.TRAINING
    assert not Event.objects.filter(code="research.failed").exists()

    apply.advance(row.pk, term, NONE)
    assert tries(row)[-1] == ("training", "queued", ""), "the step is taken again"
