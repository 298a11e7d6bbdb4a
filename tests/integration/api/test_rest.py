"""The API for scripts of people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client as Browser
from django_q.models import OrmQ

from research.lifecycle.states import State
from research.models import Event, Measure, Research
from tests.integration.services_data import rows

if TYPE_CHECKING:
    from django.http import HttpResponse

pytestmark = pytest.mark.django_db(transaction=True)
READS = ("researches", "workers", "events", "recovery")


def post(browser: Browser, path: str, body: dict[str, Any] | None = None) -> HttpResponse:
    return browser.post(f"/api/v1/{path}", body or {}, content_type="application/json")


@pytest.mark.parametrize("path", READS)
def test_a_stranger_sees_nothing(path: str) -> None:
    answer = Browser().get(f"/api/v1/{path}")
    assert answer.status_code == 401
    assert answer.json()["code"] == "unauthorised"


def test_a_viewer_reads_but_does_not_act(viewer: Browser) -> None:
    row = rows.research()
    for path in (*READS, f"researches/{row.pk}"):
        assert viewer.get(f"/api/v1/{path}").status_code == 200
    for path in ("researches", f"researches/{row.pk}/cancellation", f"researches/{row.pk}/resumption"):
        answer = post(viewer, path, {"brief": "x"})
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert Research.objects.get().state == State.TRAINING


def test_an_operator_starts_a_research_and_a_coordinator_is_called(operator: Browser) -> None:
    rows.dataset()
    body = {"brief": "calm", "symbol": "ACME", "seed": 7, "overrides": ["training.epochs=9"]}
    answer = post(operator, "researches", body)
    assert answer.status_code == 201
    made = answer.json()
    assert (made["state"], made["seed"], made["overrides"], made["created_by"]) == (
        "pending", 7, ["training.epochs=9"], "ada",
    )  # fmt: skip
    assert OrmQ.objects.count() == 1


def test_a_research_that_cannot_be_is_refused_whole(operator: Browser) -> None:
    rows.dataset()
    for body, what in (
        ({"brief": "x", "overrides": ["training.epoch=9"]}, "did you mean 'epochs'"),
        ({"brief": "x", "given": {"name": "x"}}, "indicators"),
        ({"brief": "x", "symbol": "NONE"}, "No data for NONE"),
        ({"brief": "x", "seed": -1}, "seed"),
    ):
        answer = post(operator, "researches", body)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
        assert what in answer.json()["message"]
    assert not Research.objects.exists()


def test_a_worker_is_asked_to_leave_by_an_operator_only(operator: Browser, viewer: Browser) -> None:
    rows.worker("gpu")
    assert post(viewer, "workers/gpu/draining").status_code == 403
    answer = post(operator, "workers/gpu/draining")
    assert (answer.status_code, answer.json()["draining"]) == (201, True)
    assert post(operator, "workers/gpu/draining").status_code == 409
    assert post(operator, "workers/cpu/draining").status_code == 404
    assert Event.objects.get(code="operator.drain").user == "ada"


def test_recovery_says_what_would_be_done(viewer: Browser) -> None:
    operation = rows.running_design()
    [plan] = viewer.get("/api/v1/recovery").json()["planned"]
    assert (plan["operation"], plan["step"]) == (operation.pk, "orphan")


def test_a_research_tells_its_operations_and_events_in_order(viewer: Browser) -> None:
    gpu = rows.worker("gpu")
    row = rows.research()
    first = rows.lost(rows.running(gpu, row))
    rows.running(gpu, row, continues=first.pk)
    said = viewer.get(f"/api/v1/researches/{row.pk}").json()
    assert [one["status"] for one in said["operations"]] == ["failed", "running"]
    assert said["operations"][1]["continues"] == first.pk
    assert said["operations"][0]["reason"] == "orphaned"
    numbers = [event["seq"] for event in said["events"]]
    assert numbers == sorted(numbers)
    assert "operation.orphaned" in {event["code"] for event in said["events"]}
    assert set(said["metrics"]) >= {"sharpe", "cagr", "max_drawdown", "trades", "exposure", "turnover", "psr", "dsr"}


def test_an_operator_cancels_once_and_resumes_once(operator: Browser) -> None:
    row = rows.research()
    rows.running(rows.worker("gpu"), row)
    answer = post(operator, f"researches/{row.pk}/cancellation")
    assert (answer.status_code, answer.json()["state"]) == (201, "cancelled")
    assert post(operator, f"researches/{row.pk}/cancellation").status_code == 409
    assert post(operator, f"researches/{row.pk}/resumption").status_code == 201
    again = post(operator, f"researches/{row.pk}/resumption")
    assert (again.status_code, again.json()["code"]) == (409, "refused")
    assert set(Event.objects.filter(topic="operator").values_list("user", flat=True)) == {"ada"}


def test_an_action_from_another_site_is_refused(operator: Browser) -> None:
    row = rows.research()
    careful = Browser(enforce_csrf_checks=True)
    careful.cookies = operator.cookies
    assert post(careful, f"researches/{row.pk}/cancellation").status_code == 403
    assert Research.objects.get().state == State.TRAINING


def test_what_is_not_there_is_said_in_json(operator: Browser) -> None:
    answers = [post(operator, "researches/99/cancellation"), operator.get("/api/v1/researches/99")]
    answers.append(operator.get("/api/v1/operations/99/measures"))
    for answer in answers:
        assert answer.status_code == 404
        assert answer.json()["code"] == "not_found"
        assert "99" in answer.json()["message"]


def test_bad_input_is_named(operator: Browser) -> None:
    answer = operator.get("/api/v1/researches?limit=0")
    assert answer.status_code == 422
    assert "limit" in answer.json()["message"]
    answer = post(operator, "researches", {"brief": " "})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


def test_lists_go_on_below_an_id_and_keep_to_states(viewer: Browser) -> None:
    ids = [rows.research(state).pk for state in (State.PENDING, State.TRAINING, State.PENDING)]

    def listed(query: str) -> list[int]:
        return [row["id"] for row in viewer.get(f"/api/v1/researches?{query}").json()]

    assert listed("") == ids[::-1]
    assert listed(f"before={ids[2]}") == [ids[1], ids[0]]
    assert listed("state=pending&limit=1") == [ids[2]]


def test_a_list_of_many_costs_no_more_queries_than_one_of_few(
    viewer: Browser, django_assert_max_num_queries: Any
) -> None:
    gpu = rows.worker("gpu")
    rows.running(gpu)
    for _ in range(12):
        rows.queued(rows.research())
        rows.research(State.PENDING)
    with django_assert_max_num_queries(15):
        assert len(viewer.get("/api/v1/researches").json()) == 25


def test_events_and_measures_go_on_where_the_reader_stopped(viewer: Browser) -> None:
    operation = rows.running(rows.worker("gpu"))
    for unit in range(3):
        Measure.objects.create(operation=operation, unit=unit, values={"loss": 1 / (unit + 1)})
    seqs = [event["seq"] for event in viewer.get("/api/v1/events").json()]
    assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))
    after = viewer.get(f"/api/v1/events?since={seqs[0]}&limit=1").json()
    assert [event["seq"] for event in after] == [seqs[1]]
    path = f"/api/v1/operations/{operation.pk}/measures"
    assert viewer.get(f"{path}?since=0").json() == [
        {"unit": 1, "values": {"loss": 0.5}}, {"unit": 2, "values": {"loss": 1 / 3}}
    ]  # fmt: skip


def test_the_api_is_described_without_help_from_outside(viewer: Browser) -> None:
    page = viewer.get("/api/v1/docs").content.decode()
    assert "/static/ninja/swagger-ui" in page
    assert "https://" not in page
    described = viewer.get("/api/v1/openapi.json").json()["paths"]
    assert "/api/v1/operations/{operation}/checkpoints/{unit}" in described
