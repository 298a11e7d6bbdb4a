"""What the overview says, and that saying it costs the same for few and for many."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from research.lifecycle.states import Kind, Reason, State
from research.models import Operation, Research, Term, Worker
from research.models.clock import In, database_now
from research.services import researches
from research.services.change import change
from tests.integration.services_data import rows

if TYPE_CHECKING:
    from django.test import Client

    from research.models import Operation as OperationRow

pytestmark = pytest.mark.django_db(transaction=True)


def part(client: Client, name: str) -> str:
    answer = client.get(reverse("overview-part", args=[name]))
    assert answer.status_code == 200
    return " ".join(re.sub(r"<[^>]*>", " ", answer.content.decode()).split())


def lead() -> Term:
    now = database_now()
    return Term.objects.create(
        cluster=uuid4(), backend_pid=1, label="cluster one pid 7", started_at=now, ticked_at=now,
        lease_expires_at=now + timedelta(seconds=60),
    )  # fmt: skip


def training_at(unit: int, units: int, *, seconds: float) -> OperationRow:
    """A training on the worker gpu that took so many seconds to get there."""
    operation = rows.running(rows.worker("gpu"))
    Operation.objects.filter(pk=operation.pk).update(
        unit=unit, units=units, fraction=unit / units, progress_message="fold 1 of 4",
        progressed_at=In(seconds),  # a start cannot be moved once it is written
    )  # fmt: skip
    return operation


def test_an_empty_house_says_what_to_do_next(operator: Client) -> None:
    text = operator.get("/").content.decode()
    for words in ("No research is active", "No worker is connected", "No market data is loaded", "manage.py data load",
                  "Nothing had to be recovered", "Nothing has ended yet", "none is needed"):  # fmt: skip
        assert words in text


def test_a_running_training_shows_its_progress_rate_and_time_left(viewer: Client) -> None:
    training_at(250, 1000, seconds=100)
    text = part(viewer, "researches")
    for words in (
        "Training",
        "25 %",
        "250 of 1,000 epochs",
        "2.5 epochs/s",
        "about 5 min left",
        "fold 1 of 4",
        "on gpu",
    ):
        assert words in text


def test_the_phases_that_are_done_are_marked_and_a_skipped_one_too(viewer: Client) -> None:
    parent = rows.research(State.TRAINING)
    rows.completed(rows.running(rows.worker("gpu"), parent))
    rows.move(parent, State.ASSESSING)
    html = viewer.get(reverse("overview-part", args=["researches"])).content.decode()
    assert re.findall(r'<li class="(\w+)"[^>]*><span class="word">(\w+)', html) == [
        ("skipped", "Design"), ("done", "Training"), ("skipped", "Backtest"), ("now", "Assessment"),
    ]  # fmt: skip


def test_a_lost_runner_is_counted_on_the_card_and_told_in_the_feed(viewer: Client) -> None:
    parent = rows.research(State.TRAINING)
    first = rows.lost(rows.running(rows.worker("gpu"), parent))
    second = rows.queued(parent, attempt=2, continues=first.pk)
    assert "Its worker is gone." in part(viewer, "feed")
    assert "no training worker is connected" not in part(viewer, "researches")
    rows.lost(second)
    rows.running(rows.worker("cpu"), parent, attempt=3, continues=second.pk)
    assert "lost its runner 2 times" in part(viewer, "researches")


def test_queued_work_that_no_worker_takes_calls_for_a_person(viewer: Client) -> None:
    lead()
    rows.queued(rows.research(State.TRAINING))
    text = part(viewer, "status")
    assert "No training worker takes work" in text
    assert "python -m workers --kinds training" in text
    rows.worker("gpu")
    assert "No training worker" not in part(viewer, "status")


def test_a_worker_that_has_just_fallen_silent_is_waited_for(viewer: Client) -> None:
    rows.queued(rows.research(State.TRAINING))
    worker = rows.worker("gpu")
    heard(worker, seconds_ago=4)
    assert "Suspect" in part(viewer, "workers")
    assert "No training worker" not in part(viewer, "status")
    heard(worker, seconds_ago=60)
    assert "Disconnected" in part(viewer, "workers")
    assert "No training worker takes work" in part(viewer, "status")


def test_a_worker_asked_to_leave_from_afar_is_shown_so_and_cannot_be_asked_again(operator: Client) -> None:
    rows.running(rows.worker("gpu"))
    lead()
    assert operator.post(reverse("worker-drain", args=["gpu"])).status_code == 302
    html = operator.get(reverse("overview-part", args=["workers"])).content.decode()
    assert 'data-state="draining"' in html
    assert reverse("worker-drain", args=["gpu"]) not in html
    assert "olga asked worker gpu to hand over its work and leave." in part(operator, "feed")
    assert "Worker gpu is asked to leave" in part(operator, "researches")


def heard(worker: Worker, *, seconds_ago: float) -> None:
    """As if the web had listened all the while."""
    Worker.objects.filter(pk=worker.pk).update(last_seen_at=In(-seconds_ago))
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO research_cover (id, up_since, noted_at, silence_ended)"
            " VALUES (1, clock_timestamp() - interval '1 hour', clock_timestamp(), true)"
            " ON CONFLICT (id) DO UPDATE SET noted_at = excluded.noted_at"
        )


def test_active_researches_that_nobody_leads_call_for_a_person(viewer: Client) -> None:
    rows.research(State.PENDING)
    text = part(viewer, "status")
    assert "No coordinator leads" in text
    assert "1 research cannot go on" in text
    lead()
    text = part(viewer, "status")
    assert "No coordinator leads" not in text
    assert "cluster one pid 7" in text


def test_a_failed_research_calls_for_a_person_until_it_is_resumed(viewer: Client) -> None:
    parent = rows.research()
    with change() as record:
        researches.fail(record, parent, reason=Reason.GAVE_UP, message="Lost too often: look at the log.")
    assert f"Research {parent.pk} failed Lost too often" in part(viewer, "status")
    assert "Lost too often" in part(viewer, "ended")
    researches.resume(parent.pk)
    assert "failed" not in part(viewer, "status")
    assert "Lost too often" not in part(viewer, "ended")


def test_a_finished_research_is_listed_with_its_verdict(viewer: Client) -> None:
    rows.finish(rows.research())
    assert "Rejected" in part(viewer, "ended")


def test_a_pending_research_says_what_it_waits_for(viewer: Client) -> None:
    lead()
    rows.research()
    rows.research(State.PENDING)
    assert "waits for a free place: 1 of 1 researches are active" in part(viewer, "researches")


def test_what_people_write_is_shown_as_they_wrote_it(operator: Client) -> None:
    row = rows.research()
    Research.objects.filter(pk=row.pk).update(brief="<script>alert(1)</script>")
    html = operator.get("/").content.decode()
    assert "&lt;script&gt;alert(1)" in html
    assert "<script>" not in html


def test_the_queries_of_every_part_are_as_many_for_ten_as_for_two(viewer: Client) -> None:
    def queries() -> dict[str, int]:
        found = {}
        for name in ("status", "researches", "workers", "feed", "ended"):
            with CaptureQueriesContext(connection) as seen:
                part(viewer, name)
            found[name] = len(seen)
        return found

    populate(2)
    few = queries()
    populate(8)
    assert queries() == few
    assert max(few.values()) <= 20


def populate(count: int) -> None:
    for _ in range(count):
        rows.running(rows.worker(f"w{uuid4().hex[:8]}"))
        rows.queued(rows.research(State.BACKTESTING), Kind.BACKTEST)
        rows.research(State.PENDING)
        researches.cancel(rows.research().pk, user="ada")
