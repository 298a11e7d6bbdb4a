"""Who sees and does what: every address of the dashboard, for a stranger, a viewer and an operator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from research.dashboard.urls import urlpatterns
from research.lifecycle.states import State
from research.models import Event, Research
from research.roles import make_groups
from tests.integration.services_data import rows

if TYPE_CHECKING:
    from django.http import HttpResponse

pytestmark = pytest.mark.django_db(transaction=True)
FRAGMENT = {"headers": {"X-Fragment": "1"}}
OPEN = {"login", "logout", "theme", "favicon"}
PARTS = ("status", "researches", "workers", "feed", "ended")
ACTIONS = (
    "research-start",
    "research-cancel",
    "research-resume",
    "worker-drain",
    "researches-cancel",
    "researches-resume",
)
ARGUMENTS = {
    "overview-part": ["status"], "research": [1], "research-part": [1, "none"], "research-cancel": [1],
    "research-resume": [1], "worker-drain": ["gpu"], "worker": ["gpu"], "worker-part": ["gpu"], "token-revoke": ["gpu"],
    "events-export": ["csv"], "dataset": [1],
}  # fmt: skip


def address(name: str) -> str:
    return reverse(name, args=ARGUMENTS.get(name, []))


def guarded() -> list[str]:
    return [pattern.name for pattern in urlpatterns if pattern.name not in OPEN]


@pytest.mark.parametrize("name", guarded())
def test_a_stranger_is_led_to_the_login_from_everywhere(stranger: Client, name: str) -> None:
    for answer in (stranger.get(address(name)), stranger.post(address(name))):
        assert answer.status_code == 302, name
        assert answer["Location"].startswith(reverse("login"))


@pytest.mark.parametrize("name", guarded())
def test_a_strangers_script_is_answered_401_and_gets_no_page(stranger: Client, name: str) -> None:
    answer = stranger.get(address(name), **FRAGMENT)
    assert answer.status_code == 401
    assert b"<" not in answer.content


@pytest.mark.parametrize("name", ACTIONS)
def test_a_viewer_may_do_nothing_and_is_told_so(viewer: Client, name: str) -> None:
    parent = rows.research(pk=1)
    rows.worker("gpu")
    before = Event.objects.count()
    page = viewer.post(address(name), {"brief": "x", "market": "ACME 1d", "pick": 1})
    notice = viewer.post(address(name), {"brief": "x", "market": "ACME 1d", "pick": 1}, **FRAGMENT)
    assert (page.status_code, notice.status_code) == (403, 403)
    for answer in (page, notice):
        assert "vic may look but not do this" in answer.content.decode()
    parent.refresh_from_db()
    assert (parent.state, Research.objects.count(), Event.objects.count()) == (State.TRAINING, 1, before)


def test_a_viewer_reads_everything_and_sees_no_action(viewer: Client) -> None:
    rows.research()
    rows.worker("gpu")
    text = body(viewer.get("/"))
    assert "momentum after quiet weeks" in text
    for word in ("Start a research", "data-dialog>", "Resume", "Drain"):
        assert word not in text
    for part in PARTS:
        assert viewer.get(reverse("overview-part", args=[part])).status_code == 200


def test_an_operator_sees_the_actions(operator: Client) -> None:
    rows.research()
    rows.worker("gpu")
    text = body(operator.get("/"))
    for word in ("Start a research", "data-dialog>Cancel", "data-dialog>Drain"):
        assert word in text


def test_there_is_no_such_part(viewer: Client) -> None:
    answer = viewer.get(reverse("overview-part", args=["nonsense"]))
    assert answer.status_code == 404
    assert "There is no such page" in body(answer)


def test_a_form_from_elsewhere_does_nothing() -> None:
    user = get_user_model().objects.create_superuser("ada", password="x")
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    parent = rows.research()
    assert client.post(reverse("research-cancel", args=[parent.pk])).status_code == 403
    parent.refresh_from_db()
    assert parent.state == State.TRAINING


def test_one_logs_in_goes_where_one_wanted_and_logs_out(stranger: Client) -> None:
    get_user_model().objects.create_user("vic", password="correct horse")
    login, wanted = reverse("login"), reverse("overview-part", args=["feed"])
    answer = stranger.post(login, {"username": "vic", "password": "wrong", "next": wanted})
    assert (answer.status_code, "do not fit" in body(answer)) == (200, True)
    answer = stranger.post(login, {"username": "vic", "password": "correct horse", "next": wanted})
    assert (answer.status_code, answer["Location"]) == (302, wanted)
    assert stranger.get("/").status_code == 200
    assert stranger.get(reverse("logout")).status_code == 405
    stranger.post(reverse("logout"))
    assert stranger.get("/").status_code == 302


def test_nobody_is_led_away_from_this_site(operator: Client, stranger: Client) -> None:
    parent = rows.research()
    answer = operator.post(reverse("research-cancel", args=[parent.pk]), {"next": "https://evil.example/"})
    assert answer["Location"] == reverse("research", args=[parent.pk])
    assert stranger.post(reverse("theme"), {"next": "//evil.example/"})["Location"] == "/"


def test_the_theme_is_remembered_without_javascript(viewer: Client) -> None:
    assert 'data-theme="' not in body(viewer.get("/")).split("<body")[0]
    viewer.post(reverse("theme"), {"next": "/"})
    assert 'data-theme="dark"' in body(viewer.get("/"))
    viewer.post(reverse("theme"), {"next": "/"})
    assert 'data-theme="light"' in body(viewer.get("/"))


def test_what_an_administrator_changed_in_a_group_stays() -> None:
    group = Group.objects.get(name="operator")
    whole = set(group.permissions.values_list("codename", flat=True))
    assert {"add_research", "change_research", "change_worker", "view_research", "view_event"} <= whole
    assert not {"change_workertoken", "delete_research"} & whole
    group.permissions.clear()
    make_groups()
    assert not group.permissions.exists()
    group.delete()
    make_groups()
    assert Group.objects.get(name="operator").permissions.count() == len(whole)


def test_every_page_is_sent_with_the_content_policy(viewer: Client, stranger: Client) -> None:
    for answer in (viewer.get("/"), stranger.get(reverse("login")), viewer.get("/nothing")):
        assert "default-src 'self'" in answer["Content-Security-Policy"]
        text = body(answer)
        assert " style=" not in text
        assert "<style" not in text
        assert text.count("<script") == text.count('<script type="module" src="/static/')


def body(answer: HttpResponse) -> str:
    return answer.content.decode()
