"""The page of a research as a whole: who sees what, its parts by themselves, its mark-up."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest

from research.dashboard.selectors.research_parts import PARTS
from tests.integration.dashboard import research_story as story

if TYPE_CHECKING:
    from django.test import Client

    from research.models import Research

pytestmark = pytest.mark.django_db(transaction=True)
FRAGMENT = {"X-Fragment": "1"}
VOID = {"meta", "link", "input", "br", "hr", "img", "path", "line", "rect", "circle"}


def page_of(client: Client, research: Research, part: str = "") -> str:
    answer = client.get(f"/research/{research.pk}" + (f"/part/{part}" if part else ""))
    assert answer.status_code == 200, answer.content
    return answer.content.decode()


def settled(html: str) -> str:
    """Without what differs from one moment to the next: tokens against forgery and ages."""
    html = re.sub(r'(csrfmiddlewaretoken" value=")[^"]*', r"\1", html)
    return re.sub(r">\d+ s( ago)?<", "><", html).strip()


class Markup(HTMLParser):
    """Balance of tags, ids, and what the content security policy forbids."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.refers: set[str] = set()
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        assert "style" not in given, (tag, attrs)
        assert not [name for name in given if name.startswith("on")], (tag, attrs)
        assert tag != "script" or given.get("src") or given.get("type") == "application/json"
        if given.get("id"):
            self.ids.append(str(given["id"]))
        for name in ("aria-labelledby", "data-plot"):
            self.refers |= set(str(given.get(name) or "").split())
        if tag == "svg" and given.get("role") == "img":
            assert given.get("aria-labelledby"), attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag, (self.getpos(), tag)


def test_a_stranger_is_sent_to_the_login_and_a_fragment_is_refused(stranger: Client) -> None:
    research = story.pending()
    answer = stranger.get(f"/research/{research.pk}")
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/login?next=/research/{research.pk}")
    assert stranger.get(f"/research/{research.pk}/part/head", headers=FRAGMENT).status_code == 401


def test_a_viewer_sees_everything_and_may_do_nothing(viewer: Client) -> None:
    html = page_of(viewer, story.failed_in_design())
    assert story.BRIEF in html
    assert "An operator can resume it." in html
    assert "/resumption" not in html
    assert "/cancellation" not in html


def test_an_operator_can_resume_what_failed_and_cancel_what_is_not_over(operator: Client) -> None:
    failed = page_of(operator, story.failed_in_design())
    assert "/resumption" in failed
    assert "/cancellation" not in failed
    begun = page_of(operator, story.begun())
    assert "/cancellation" in begun
    assert "/resumption" not in begun
    complete = page_of(operator, story.assessed())
    assert "/cancellation" not in complete
    assert "/resumption" not in complete


def test_resuming_from_the_page_leads_back_to_it(operator: Client) -> None:
    research = story.failed_in_design()
    answer = operator.post(f"/research/{research.pk}/resumption")
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/research/{research.pk}")
    assert "goes on where it stopped" in page_of(operator, research)


def test_a_research_that_is_not_there_is_answered_in_words(viewer: Client) -> None:
    answer = viewer.get("/research/999")
    assert answer.status_code == 404
    assert "There is no research 999" in answer.content.decode()
    assert viewer.get("/research/999/part/head").status_code == 404


def test_a_part_that_is_not_there_is_not_found(viewer: Client) -> None:
    research = story.pending()
    assert viewer.get(f"/research/{research.pk}/part/nothing").status_code == 404


def test_nothing_is_changed_by_looking(viewer: Client) -> None:
    research = story.pending()
    assert viewer.post(f"/research/{research.pk}").status_code == 405
    assert viewer.post(f"/research/{research.pk}/part/head").status_code == 405


@pytest.mark.parametrize("made", [story.pending, story.begun, story.designed, story.failed_in_design, story.assessed])
def test_every_part_by_itself_is_what_the_page_was_built_from(operator: Client, made: Any) -> None:
    research = made()
    whole = settled(page_of(operator, research))
    for name in PARTS:
        part = settled(page_of(operator, research, name))
        assert part in whole, name
        [root] = re.findall(r"^<section [^>]*>", part)
        assert f'id="part-{name}"' in root
        assert f'data-fragment="/research/{research.pk}/part/{name}"' in root
        assert re.search(rf'data-live="(event|research:{research.pk})[ "]', root)
        assert part.endswith("</section>")


def test_a_part_follows_the_operation_that_runs(viewer: Client) -> None:
    research, operation = story.training_runs()
    assert f'data-live="event operation:{operation.pk}"' in page_of(viewer, research, "training")
    assert f'data-live="event operation:{operation.pk} pulse"' in page_of(viewer, research, "head")
    assert 'data-live="event"' in page_of(viewer, research, "verdict")


def test_a_research_that_is_over_follows_itself_alone_and_so_notices_that_it_is_resumed(viewer: Client) -> None:
    research = story.failed_in_design()
    for name in PARTS:
        assert f'data-live="research:{research.pk}"' in page_of(viewer, research, name)


@pytest.mark.parametrize(
    "made",
    [story.pending, story.begun, story.failed_in_design, story.failed_with_orphans, story.skipped_backtest,
     story.trained, story.assessed],
)  # fmt: skip
def test_the_markup_is_sound_in_every_state(operator: Client, made: Any) -> None:
    found = Markup(page_of(operator, made()))
    assert len(found.ids) == len(set(found.ids))
    assert found.refers <= {*found.ids, "dialog-heading"}
