"""Start, cancel, resume, drain: each with its events, each refused in words where it cannot be."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from django.db import connections
from django.test import Client
from django.urls import reverse
from django_q.models import OrmQ

from research.lifecycle.states import State, Status
from research.models import Event, Research, Worker
from research.services import researches
from tests.integration.services_data import rows

if TYPE_CHECKING:
    from django.http import HttpResponse

pytestmark = pytest.mark.django_db(transaction=True)
FRAGMENT = {"headers": {"X-Fragment": "1"}}


def started(operator: Client, **fields: str) -> HttpResponse:
    body = {"brief": "calm after storms", "market": "ACME 1d", "seed": "7"} | fields
    return operator.post(reverse("research-start"), body)


def test_an_operator_starts_a_research_and_a_coordinator_is_called(operator: Client) -> None:
    rows.dataset()
    answer = started(operator)
    made = Research.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, reverse("research", args=[made.pk]))
    assert (made.brief, made.symbol, made.timeframe, made.seed, made.state) == (
        "calm after storms", "ACME", "1d", 7, State.PENDING,
    )  # fmt: skip
    assert made.created_by is not None
    assert (made.created_by.get_username(), Event.objects.get(code="research.created").user) == ("olga", "olga")
    assert OrmQ.objects.count() == 1


def test_a_seed_is_chosen_when_none_is_given(operator: Client) -> None:
    rows.dataset()
    started(operator, seed="")
    assert Research.objects.get().seed >= 0


@pytest.mark.parametrize(
    ("fields", "says"),
    [({"brief": "  "}, "required"), ({"seed": "-1"}, "greater than or equal to 0"), ({"market": "NONE 1d"}, "valid")],
)
def test_a_start_that_cannot_be_shows_the_form_again_with_what_is_wrong(
    operator: Client, fields: dict[str, str], says: str
) -> None:
    rows.dataset()
    answer = started(operator, **fields)
    text = answer.content.decode()
    assert answer.status_code == 422
    assert says in text
    assert '<details class="card starter" id="start" open>' in text
    assert not Research.objects.exists()


def test_a_script_is_answered_with_a_notice(operator: Client) -> None:
    rows.dataset()
    answer = operator.post(reverse("research-start"), {"brief": "calm", "market": "ACME 1d"}, **FRAGMENT)
    assert answer.status_code == 201
    assert f'href="/research/{Research.objects.get().pk}"' in answer.content.decode()
    refused = operator.post(reverse("research-start"), {"brief": "", "market": "ACME 1d"}, **FRAGMENT)
    assert refused.status_code == 422
    assert "Brief: This field is required." in refused.content.decode()


def test_one_is_asked_before_a_research_is_cancelled(operator: Client) -> None:
    operation = rows.running(rows.worker("gpu"))
    url = reverse("research-cancel", args=[operation.research_id])
    page, part = operator.get(url), operator.get(url, **FRAGMENT)
    assert "<html" in page.content.decode()
    assert "<html" not in part.content.decode()
    for answer in (page, part):
        assert f"Cancel research {operation.research_id}?" in answer.content.decode()
    operation.research.refresh_from_db()
    assert operation.research.state == State.TRAINING


def test_a_cancelled_research_and_its_operation_end_with_intent_and_effect_as_events(operator: Client) -> None:
    operation = rows.running(rows.worker("gpu"))
    answer = operator.post(reverse("research-cancel", args=[operation.research_id]))
    assert answer.status_code == 302
    operation.refresh_from_db()
    assert (operation.status, operation.research.state) == (Status.CANCELLED, State.CANCELLED)
    codes = list(Event.objects.order_by("seq").values_list("code", flat=True))
    assert codes[-3:] == ["operator.cancel", "operation.cancelled", "research.cancelled"]
    assert Event.objects.get(code="operator.cancel").user == "olga"


def test_what_is_over_cannot_be_cancelled(operator: Client) -> None:
    parent = rows.research()
    researches.cancel(parent.pk)
    answer = operator.post(reverse("research-cancel", args=[parent.pk]))
    assert answer.status_code == 409
    assert "nothing to cancel" in answer.content.decode()


def test_a_research_that_is_not_there_is_said_to_be_missing(operator: Client) -> None:
    for name in ("research-cancel", "research-resume"):
        answer = operator.post(reverse(name, args=[999]))
        assert (answer.status_code, "no research 999" in answer.content.decode()) == (404, True)


def test_a_second_resume_is_refused_in_words(operator: Client) -> None:
    parent = rows.research()
    researches.cancel(parent.pk)
    url = reverse("research-resume", args=[parent.pk])
    assert operator.post(url, **FRAGMENT).status_code == 201
    again = operator.post(url, **FRAGMENT)
    assert again.status_code == 409
    assert "perhaps somebody was faster" in again.content.decode()
    assert Event.objects.filter(code="research.resumed").count() == 1
    assert Event.objects.get(code="operator.resume").user == "olga"
    assert OrmQ.objects.count() == 1


def test_of_five_who_resume_at_once_exactly_one_wins(operator: Client) -> None:
    parent = rows.research()
    researches.cancel(parent.pk)
    url, cookies = reverse("research-resume", args=[parent.pk]), operator.cookies

    def press(_: int) -> int:
        client = Client()
        client.cookies = cookies
        try:
            return client.post(url).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(5) as pool:
        answers = sorted(pool.map(press, range(5)))
    assert answers == [302, 409, 409, 409, 409]
    assert Event.objects.filter(code="research.resumed").count() == 1


def test_a_worker_is_drained_once(operator: Client) -> None:
    rows.worker("gpu")
    url = reverse("worker-drain", args=["gpu"])
    assert "Drain worker gpu?" in operator.get(url).content.decode()
    assert not Worker.objects.get().drain_requested
    assert operator.post(url)["Location"] == "/"
    assert Worker.objects.get().drain_requested
    assert Event.objects.get(code="operator.drain").user == "olga"
    assert operator.post(url).status_code == 409
    assert operator.post(reverse("worker-drain", args=["cpu"])).status_code == 404


def test_actions_are_posted(operator: Client) -> None:
    parent = rows.research()
    assert operator.get(reverse("research-resume", args=[parent.pk])).status_code == 405
    assert operator.get(reverse("research-start"), {"brief": "x", "market": "ACME 1d"}).status_code == 200
    assert operator.put(reverse("research-start")).status_code == 405
    assert Research.objects.count() == 1
