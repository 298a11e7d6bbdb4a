"""The events: filtered by the address, the newest first, older ones by their number, as CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse

from research.dashboard.selectors import events_export, events_list
from research.dashboard.selectors.events_wanted import Wanted
from research.models import Event, Level, Topic
from research.services.change import change
from tests.integration.services_data import rows

if TYPE_CHECKING:
    from django.http import HttpResponse
    from django.test import Client

pytestmark = pytest.mark.django_db(transaction=True)


def record(message: str, topic: Topic = Topic.SYSTEM, **fields: Any) -> int:
    """Its number."""
    with change() as writing:
        writing.event(topic, "test.said", message, **fields)
    return Event.objects.get(message=message).seq


def listed(client: Client, query: str = "") -> list[int]:
    return [int(one) for one in re.findall(r'<li class="[^"]*" id="event-(\d+)"', body(client.get(f"/events{query}")))]


def test_they_are_filtered_by_topic_level_research_and_worker(viewer: Client) -> None:
    parent = rows.research()
    of_research = list(Event.objects.filter(research_id=parent.pk).values_list("seq", flat=True))
    quiet = record("All is well.", worker="gpu")
    bad = record("The disk is full.", Topic.WORKER, level=Level.ERROR)
    assert listed(viewer)[:2] == [bad, quiet]
    assert listed(viewer, "?topic=worker") == [bad]
    assert listed(viewer, "?level=trouble") == listed(viewer, "?level=error") == [bad]
    assert listed(viewer, f"?research=%23{parent.pk}") == of_research
    assert listed(viewer, "?worker=gpu") == [quiet]
    assert set(listed(viewer, "?topic=nonsense&research=x&before=y")) >= {quiet, bad}
    assert "No event fits" in body(viewer.get("/events?worker=nobody"))


def test_an_event_names_what_it_is_about_and_shows_its_evidence(viewer: Client) -> None:
    seq = record("<b>It</b> was asked for.", Topic.OPERATOR, worker="gpu", user="olga", left_s=3.5)
    page = body(viewer.get("/events"))
    entry = page.split(f'id="event-{seq}"')[1].split("</li>", maxsplit=1)[0]
    for words in ("&lt;b&gt;It&lt;/b&gt; was asked for.", "by olga", 'href="/events?worker=gpu"', "3.5 s", "test.said"):
        assert words in entry


def test_older_ones_follow_without_a_gap(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events_list, "ON_A_PAGE", 3)
    numbers = [record(f"Number {one}.") for one in range(7)][::-1]
    seen: list[int] = []
    query = ""
    while True:
        page = body(viewer.get(f"/events{query}"))
        seen += listed(viewer, query)
        older = re.search(r'rel="next" href="/events([^"]*)"', page)
        if older is None:
            break
        query = older[1]
    assert seen == numbers
    assert "data-fragment" in body(viewer.get("/events"))
    assert "data-fragment=" not in body(viewer.get(f"/events{query}"))


def test_those_that_fit_are_exported_as_json_and_csv(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events_export, "PIECE", 2)
    numbers = [record(f'Number {one}, "quoted"\nand broken.', worker="gpu", at=one) for one in range(5)][::-1]
    record("Another.")
    answer = viewer.get(reverse("events-export", args=["json"]), {"worker": "gpu"})
    assert answer["Content-Disposition"] == 'attachment; filename="ktrdr-events.json"'
    found = json.loads(streamed(answer))
    assert [one["seq"] for one in found] == numbers
    assert found[0]["data"] == {"at": 4}
    answer = viewer.get(reverse("events-export", args=["csv"]), {"worker": "gpu"})
    lines = list(csv.DictReader(io.StringIO(streamed(answer), newline="")))
    assert [int(line["seq"]) for line in lines] == numbers
    assert lines[0]["message"] == 'Number 4, "quoted"\nand broken.'
    assert json.loads(lines[0]["data"]) == {"at": 4}


def test_an_export_is_bounded_and_safe_for_spreadsheets(viewer: Client) -> None:
    for one in range(3):
        record(f"=cmd({one})")
    lines = "".join(events_export.as_csv(Wanted(), most=2)).splitlines()
    assert len(lines) == 3
    assert "'=cmd(2)" in lines[1]
    assert json.loads("".join(events_export.as_json(Wanted(worker="nobody")))) == []
    assert viewer.get(reverse("events-export", args=["xml"])).status_code == 404


def streamed(answer: Any) -> str:
    return b"".join(answer.streaming_content).decode()


def body(answer: HttpResponse) -> str:
    return answer.content.decode()
