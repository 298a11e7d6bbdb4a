"""Every situation has its sentence that a person can act on, the same on the page, in the API and in commands."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from research.lifecycle.states import LIVE
from research.models import Research
from research.selectors.standing import Code, Situation, Standing, standing
from tests.integration.commands.calls import answer, said
from tests.integration.selectors.situations import ACTS, BUILD, SENTENCES, busy, silent, training
from tests.support import factories

if TYPE_CHECKING:
    from research.models import Operation

pytestmark = pytest.mark.django_db(transaction=True)
NUMBER = re.compile(r"\d+ (s|min)\b")
OVER = (Code.COMPLETED, Code.CANCELLED, Code.CANCELLING)


def live_of(research: Research) -> Operation | None:
    return research.operations.filter(status__in=LIVE).first()


def stands(research: Research) -> Standing:
    return standing(research, live_of(research), Situation())


def words(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


@pytest.fixture
def viewer(transactional_db: None) -> Client:
    client = Client()
    client.force_login(get_user_model().objects.create_user("vic", password="correct horse"))
    return client


@pytest.mark.parametrize("code", list(Code))
def test_every_situation_is_said_in_a_sentence_to_act_on_and_everywhere_in_the_same(code: Code, viewer: Client) -> None:
    research = BUILD[code]()
    found = stands(research)
    assert found.code == code, found.sentence
    assert re.search(SENTENCES[code], found.sentence), found.sentence
    assert found.act == (code in ACTS)
    assert found.sentence.endswith(".")
    assert len(found.sentence) < 320
    in_status, on_the_overview = code not in OVER, code not in (Code.RUNS, Code.GAVE_UP, Code.FAILED, *OVER)
    page, overview = (words(viewer.get(url).content.decode()) for url in (f"/research/{research.pk}", "/"))
    shown, status = said("research", "show", str(research.pk)), said("recovery", "status")
    listed = {one["id"]: one["standing"] for one in answer("research", "list")}
    assert listed[research.pk]["code"] == code.value
    assert told(found, shown)
    assert told(found, page) == (code != Code.COMPLETED)
    assert told(found, status) == (in_status or code == Code.CANCELLING)
    assert told(found, overview) == on_the_overview


def told(found: Standing, text: str) -> bool:
    """Whether the sentence is there; a second may have passed between two looks."""
    return NUMBER.sub("", found.sentence) in NUMBER.sub("", " ".join(text.split()))


def test_of_a_silent_worker_it_is_said_who_could_take_over_and_why_not_yet() -> None:
    operation = training()
    busy("cpu")
    silent("gpu", 12)
    found = stands(Research.objects.get(pk=operation.research_id))
    assert found.code == Code.DISCONNECTED
    assert "the other one is busy: the training goes on from epoch 40 on the first that is free" in found.sentence
    assert not found.act


@pytest.mark.scenario(21)
def test_a_cancel_that_a_silent_worker_has_not_heard_of_says_so() -> None:
    research = BUILD[Code.CANCELLING]()
    silent("gpu", 30)
    found = stands(research)
    assert found.code == Code.CANCELLING
    assert "worker gpu has been silent for 30 s and is told to stop when it is back" in found.sentence


def test_a_cancel_that_was_heard_is_no_longer_under_way() -> None:
    research = BUILD[Code.CANCELLING]()
    from research.models import Operation, Worker
    from research.models.clock import DatabaseNow

    Worker.objects.filter(name="gpu").update(idle=True, last_seen_at=DatabaseNow())
    assert stands(research).code == Code.CANCELLED
    assert Operation.objects.get(research=research).status == "cancelled"


def test_the_queries_are_as_many_for_ten_researches_as_for_two() -> None:
    def queries() -> int:
        situation, rows = Situation(), list(Research.objects.order_by("id").prefetch_related("operations"))
        with CaptureQueriesContext(connection) as seen:
            for row in rows:
                standing(row, next((one for one in row.operations.all() if one.status in LIVE), None), situation)
        return len(seen)

    def populate(count: int) -> None:
        for at in range(count):
            factories.training_on(factories.worker(f"w{at}-{Research.objects.count()}"))
            factories.claimed()
            factories.pending_research()
            factories.cancelled_research()

    populate(1)
    few = queries()
    populate(4)
    assert queries() == few <= 15
