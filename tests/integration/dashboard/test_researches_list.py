"""The list of researches: filtered, sorted and searched by its address; several cancelled or resumed at once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django_q.models import OrmQ

from research.dashboard.selectors.researches_wanted import Wanted
from research.lifecycle.states import State
from research.models import Event, Research, Strategy
from research.models.clock import DatabaseNow
from research.services import researches
from tests.integration.services_data import rows

if TYPE_CHECKING:
    from django.http import HttpResponse
    from django.test import Client

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/researches"


def listed(client: Client, query: str = "") -> list[int]:
    answer = client.get(f"{LIST}{query}")
    assert answer.status_code == 200
    return [int(one) for one in re.findall(r'<tr id="research-(\d+)"', body(answer))]


def ended(label: str, sharpe: float | None, **fields: object) -> Research:
    """A completed research with this verdict."""
    row = rows.research(**fields)
    rows.finish(row)
    Research.objects.filter(pk=row.pk).update(verdict={"label": label, "why": []}, metrics={"sharpe": sharpe})
    return row


def test_it_says_where_each_research_stands(viewer: Client) -> None:
    active, done = rows.research(), ended("promising", 1.234)
    text = body(viewer.get(LIST))
    assert "2 researches" in text
    assert "1.23" in text
    assert ">Promising<" in text
    assert 'data-code="' in part(text, active.pk)
    assert 'data-code="' not in part(text, done.pk)


def test_it_is_filtered_by_state_market_and_verdict(viewer: Client) -> None:
    running, pending = rows.research(), rows.research(State.PENDING)
    good, bad = ended("promising", 1.0), ended("reject", -1.0)
    Research.objects.filter(pk=pending.pk).update(symbol="OTHER")
    assert listed(viewer) == [bad.pk, good.pk, pending.pk, running.pk]
    assert listed(viewer, "?state=training") == [running.pk]
    assert listed(viewer, "?state=active") == [pending.pk, running.pk]
    assert listed(viewer, "?state=ended&verdict=promising") == [good.pk]
    assert listed(viewer, "?market=OTHER+1d") == [pending.pk]
    assert listed(viewer, "?state=nonsense&page=x") == [bad.pk, good.pk, pending.pk, running.pk]


def test_words_are_searched_in_brief_and_strategy(viewer: Client) -> None:
    strategy = Strategy.objects.create(sha256="0" * 64, name="Calm Storm", origin="given", spec={})
    named, briefed = rows.research(), rows.research()
    Research.objects.filter(pk=named.pk).update(strategy=strategy)
    Research.objects.filter(pk=briefed.pk).update(brief="100% storm chasing")
    assert listed(viewer, "?q=STORM") == [briefed.pk, named.pk]
    assert listed(viewer, "?q=calm+storm") == [named.pk]
    assert listed(viewer, "?q=100%25") == [briefed.pk]
    assert "No research fits" in body(viewer.get(f"{LIST}?q=nothing%00such"))


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("-sharpe", "bcad"),
        ("sharpe", "acbd"),
        ("id", "abcd"),
        ("-ended", "cbad"),
        ("state", "cbad"),
        ("market", "dcba"),
    ],
)
def test_it_is_sorted_with_what_has_no_value_last(viewer: Client, sort: str, order: str) -> None:
    a, b, c = (ended("reject", sharpe) for sharpe in (-0.5, 12.0, 2.0))
    d = rows.research()
    Research.objects.filter(pk=d.pk).update(symbol="AAA")
    named = {a.pk: "a", b.pk: "b", c.pk: "c", d.pk: "d"}
    assert "".join(named[pk] for pk in listed(viewer, f"?sort={sort}")) == order


def test_a_column_turns_round_when_chosen_again() -> None:
    wanted = Wanted.of({"q": "calm", "page": "3"})
    assert wanted.sorted_by("sharpe") == "?q=calm&sort=-sharpe"
    assert Wanted.of({"sort": "-sharpe"}).sorted_by("sharpe") == "?sort=sharpe"
    assert Wanted.of({"sort": "id"}).sorted_by("id") == ""
    assert wanted.on_page(1) == "?q=calm"


def test_pages_follow_each_other_with_a_fixed_number_of_queries(viewer: Client) -> None:
    first = rows.research()
    counts = []
    for many in (20, 40):
        Research.objects.bulk_create(
            Research(brief="x", symbol="ACME", timeframe="1d", seed=1, dataset=first.dataset) for _ in range(many)
        )
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert len(listed(viewer)) == min(50, Research.objects.count())
        counts.append(len(captured))
    assert counts[0] == counts[1]
    assert len(listed(viewer, "?page=2")) == 11
    assert 'href="/researches?page=2"' in body(viewer.get(LIST))
    assert 'rel="next"' not in body(viewer.get(f"{LIST}?page=2"))
    assert "There is no page 9" in body(viewer.get(f"{LIST}?page=9"))


def test_an_empty_list_says_what_to_do(viewer: Client, operator: Client) -> None:
    assert "An operator can start one" in body(viewer.get(LIST))
    assert 'href="/#start">Start one' in body(operator.get(LIST))


def test_several_are_cancelled_after_a_question(operator: Client) -> None:
    one, two, over = rows.research(), rows.research(State.PENDING), ended("reject", 0.1)
    picks = [one.pk, two.pk, over.pk]
    asked = body(operator.get(reverse("researches-cancel"), {"pick": picks, "next": "/researches?state=active"}))
    assert "Cancel 2 researches?" in asked
    assert f"#{over.pk} is completed" in asked
    assert Research.objects.filter(state=State.CANCELLED).count() == 0
    answer = operator.post(reverse("researches-cancel"), {"pick": picks, "next": "/researches?state=active"})
    assert answer["Location"] == "/researches?state=active"
    text = body(operator.get(LIST))
    assert f"Researches {one.pk}, {two.pk} are cancelled." in text
    assert f"Research {over.pk} is already completed" in text
    assert Research.objects.filter(state=State.CANCELLED).count() == 2
    assert Event.objects.filter(code="operator.cancel", user="olga").count() == 2


def test_one_that_is_refused_stops_none_of_the_others(operator: Client) -> None:
    over, active = ended("reject", 0.1), rows.research()
    operator.post(reverse("researches-cancel"), {"pick": [over.pk, 999_999, active.pk]})
    text = body(operator.get(LIST))
    assert f"Research {over.pk} is already completed" in text
    assert "999999" in text
    assert f"Research {active.pk} is cancelled." in text
    active.refresh_from_db()
    assert active.state == State.CANCELLED


def test_several_are_resumed_and_a_coordinator_is_called(operator: Client) -> None:
    stopped = [rows.research().pk, rows.research().pk]
    for pk in stopped:
        researches.cancel(pk)
    assert "Resume 2 researches?" in body(operator.get(reverse("researches-resume"), {"pick": stopped}))
    operator.post(reverse("researches-resume"), {"pick": stopped})
    assert set(Research.objects.values_list("state", flat=True)) == {State.PENDING}
    assert OrmQ.objects.count() == 1


def test_nothing_ticked_is_answered_in_words(operator: Client) -> None:
    answer = operator.get(reverse("researches-cancel"), {"next": LIST})
    assert (answer.status_code, "No research is ticked" in body(answer)) == (422, True)
    assert f'href="{LIST}"' in body(answer)


def test_a_viewer_sees_no_box_to_tick(viewer: Client) -> None:
    Research.objects.filter(pk=rows.research().pk).update(started_at=DatabaseNow())
    assert 'name="pick"' not in body(viewer.get(LIST))


def part(text: str, pk: int) -> str:
    return text.split(f'<tr id="research-{pk}"')[1].split("</tr>", maxsplit=1)[0]


def body(answer: HttpResponse) -> str:
    return answer.content.decode()
