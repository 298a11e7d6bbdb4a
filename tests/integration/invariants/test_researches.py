"""What the database demands of a research: only the ways of the diagram, and an end that says why."""

from __future__ import annotations

import pytest
from django.db import connection

from research.lifecycle.states import TRANSITIONS, State
from research.models import Research
from tests.integration.invariants.refusals import move_of, refused
from tests.support import factories
from tests.support.sql import attempt

pytestmark = pytest.mark.django_db(transaction=True)
ENDS = {
    State.COMPLETED: ", ended_at = now(), verdict = '{}'",
    State.FAILED: ", ended_at = now(), reason = 'error', message = 'x'",
    State.CANCELLED: ", ended_at = now(), reason = 'cancelled', message = 'x'",
    State.PENDING: ", ended_at = NULL",
}


def _in(state: State) -> Research:
    """By force: the diagram itself is what is tested."""
    row = factories.pending_research()
    attempt("ALTER TABLE research_research DISABLE TRIGGER USER",
            f"UPDATE research_research SET state = '{state}'{ENDS.get(state, '')} WHERE id = %(id)s",
            "ALTER TABLE research_research ENABLE TRIGGER USER", id=row.pk)  # fmt: skip
    row.refresh_from_db()
    return row


@pytest.mark.parametrize("old", State)
def test_a_research_takes_only_the_ways_of_its_diagram(old: State) -> None:
    for new in set(State) - {old}:
        row = _in(old)
        code = f"research.{'resumed' if new == State.PENDING else new}"
        setting = f"state = '{new}'{ENDS.get(new, ', ended_at = NULL')}"
        if new in TRANSITIONS[old]:
            move_of(row.pk, setting, code)
        else:
            with refused("ktrdr.transition", f"research {row.pk} cannot go from {old} to {new}"):
                move_of(row.pk, setting, code)


@pytest.mark.parametrize(
    ("setting", "code", "constraint"),
    [
        ("state = 'failed', reason = 'error', message = 'x'", "failed", "research_ended_has_time"),
        ("state = 'failed', ended_at = now(), message = 'x'", "failed", "research_failed_has_reason_and_message"),
        ("state = 'failed', ended_at = now(), reason = 'error'", "failed", "research_failed_has_reason_and_message"),
        ("ended_at = now()", "training", "research_ended_has_time"),
        ("state = 'sleeping'", "sleeping", "ktrdr.transition"),
    ],
)
def test_an_end_of_a_research_has_a_time_a_reason_and_a_message(setting: str, code: str, constraint: str) -> None:
    with refused(constraint):
        move_of(factories.training_research().pk, setting, f"research.{code}")


def test_a_completed_research_has_a_verdict() -> None:
    with refused("research_completed_has_verdict"):
        move_of(factories.assessing_research().pk, "state = 'completed', ended_at = now()", "research.completed")


def test_no_state_is_unknown() -> None:
    with refused("research_state_known"):
        attempt("INSERT INTO research_research (brief, state, reason, message, priority, symbol, timeframe, designer,"
                " seed, memory_seq, overrides, lineage, dataset_id, gates, created_at, counted_from)"
                " SELECT brief, 'sleeping', '', '', 0, symbol, timeframe, designer, seed, 0, overrides, lineage,"
                " dataset_id, gates, now(), 0 FROM research_research WHERE id = %(id)s",
                id=factories.pending_research().pk)  # fmt: skip


def test_a_research_is_deleted_by_retention_alone_and_then_with_all_that_is_its() -> None:
    row = factories.training_on(factories.worker()).research
    lone = factories.pending_research()
    for one in (row, lone):
        with refused("ktrdr.immutable", "DELETE of research_research refused"):
            attempt("DELETE FROM research_research WHERE id = %(id)s", id=one.pk)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM research_event")
        events = cursor.fetchone()
    attempt("SET LOCAL ktrdr.retention = on", "DELETE FROM research_operation WHERE research_id = %(id)s",
            "DELETE FROM research_research WHERE id = %(id)s", id=row.pk)  # fmt: skip
    assert not Research.objects.filter(pk=row.pk).exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM research_event")
        assert cursor.fetchone() == events, "an event outlives its subject"
