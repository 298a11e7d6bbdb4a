"""Django's admin: everything can be seen, nothing typed over, and actions are those of the services."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse

from research.lifecycle.states import State
from research.models import Event, Research, Worker, WorkerToken
from research.services import tokens
from tests.integration.commands.story import Story, tell
from tests.integration.services_data import rows

if TYPE_CHECKING:
    from django.db.models import Model

pytestmark = pytest.mark.django_db
MODELS = sorted(apps.get_app_config("research").get_models(), key=lambda model: model.__name__)


@pytest.fixture
def story() -> Story:
    return tell()


@pytest.fixture
def operator() -> Client:
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("ada", password="x"))
    return client


@pytest.fixture
def viewer() -> Client:
    """Staff who may look at researches and do nothing."""
    user = get_user_model().objects.create_user("vic", password="x", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_research"))
    client = Client()
    client.force_login(user)
    return client


def url(model: type[Model], page: str, *args: Any) -> str:
    return reverse(f"admin:research_{model._meta.model_name}_{page}", args=args)


def act(client: Client, model: type[Model], action: str, *ids: object) -> list[str]:
    """Choose rows and an action; returns what is said."""
    chosen = {"action": action, "_selected_action": [str(one) for one in ids]}
    answer = client.post(url(model, "changelist"), chosen, follow=True)
    return [str(message) for message in answer.context["messages"]]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_model_can_be_seen_and_none_typed_over(story: Story, operator: Client, model: type[Model]) -> None:
    assert model in admin.site._registry
    assert operator.get(url(model, "changelist")).status_code == 200
    assert operator.get(url(model, "add")).status_code == 403
    row = model._default_manager.first()
    if row is None:
        return
    page = operator.get(url(model, "change", row.pk))
    assert page.status_code == 200
    assert b'name="_save"' not in page.content
    assert operator.post(url(model, "change", row.pk), {"state": "failed"}).status_code == 403
    assert operator.post(url(model, "delete", row.pk), {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_a_list_costs_the_same_for_more_rows(
    operator: Client, model: type[Model], django_assert_max_num_queries: Any
) -> None:
    tell()
    with django_assert_max_num_queries(9):
        assert operator.get(url(model, "changelist")).status_code == 200


def test_a_stranger_is_sent_to_the_login() -> None:
    assert Client().get(url(Research, "changelist")).status_code == 302


def test_cancel_and_resume_are_those_of_the_services_and_name_the_user(story: Story, operator: Client) -> None:
    done, running = story.ids["r"], story.ids["r2"]
    said = act(operator, Research, "cancel", done, running)
    assert any(f"Research {done} is already completed" in text for text in said)
    assert "1 cancelled." in said
    assert Research.objects.get(pk=running).state == State.CANCELLED
    assert act(operator, Research, "resume", running) == ["1 resumed."]
    assert Research.objects.get(pk=running).state == State.PENDING
    assert (
        list(Event.objects.filter(topic="operator", research_id=running).values_list("user", flat=True)) == ["ada"] * 2
    )


def test_a_viewer_is_offered_no_action(story: Story, viewer: Client) -> None:
    assert b'name="action"' not in viewer.get(url(Research, "changelist")).content
    act(viewer, Research, "cancel", story.ids["r2"])
    assert Research.objects.get(pk=story.ids["r2"]).state == State.TRAINING
    assert viewer.get(url(Event, "changelist")).status_code == 403


def member(name: str, role: str) -> Client:
    user = get_user_model().objects.create_user(name, password="x")
    user.groups.add(Group.objects.get(name=role))
    client = Client()
    client.force_login(user)
    return client


def test_operators_and_admins_enter_by_their_role_and_viewers_do_not(story: Story) -> None:
    entered = {
        role: member(role, role).get(reverse("admin:index")).status_code for role in ("viewer", "operator", "admin")
    }
    assert entered == {"viewer": 302, "operator": 200, "admin": 200}


def test_an_operator_acts_on_researches_and_not_on_tokens(story: Story) -> None:
    client = member("olga", "operator")
    assert act(client, Research, "cancel", story.ids["r2"]) == ["1 cancelled."]
    tokens.create_token("gpu")
    assert b'name="action"' not in client.get(url(WorkerToken, "changelist")).content


def test_an_admin_makes_accounts_with_roles_but_no_superuser() -> None:
    client = member("anna", "admin")
    new = {
        "username": "olga",
        "password1": "correct horse 9",
        "password2": "correct horse 9",
        "usable_password": "true",
    }
    assert client.post(reverse("admin:auth_user_add"), new).status_code == 302
    olga, operators = get_user_model().objects.get(username="olga"), Group.objects.get(name="operator")
    changed = {"username": "olga", "groups": [operators.pk], "is_active": "on", "is_superuser": "on", "is_staff": "on",
               "date_joined_0": "2026-01-01", "date_joined_1": "00:00"}  # fmt: skip
    assert client.post(reverse("admin:auth_user_change", args=[olga.pk]), changed).status_code == 302
    olga.refresh_from_db()
    assert ([*olga.groups.all()], olga.is_superuser, olga.is_staff) == ([operators], False, False)

    root = get_user_model().objects.create_superuser("root", password="x")
    assert client.post(reverse("admin:auth_user_change", args=[root.pk]), changed).status_code == 403
    assert client.post(reverse("admin:auth_user_password_change", args=[root.pk]), new).status_code == 403


def test_a_record_leads_to_the_page_that_shows_it_and_the_admin_leads_back(story: Story, operator: Client) -> None:
    event = Event.objects.filter(research_id=story.ids["r"]).first()
    assert event is not None
    page = operator.get(url(Event, "change", event.pk)).content.decode()
    assert reverse("research", args=[story.ids["r"]]) in page
    assert 'href="/"' in page


def test_workers_are_drained_and_tokens_revoked(operator: Client) -> None:
    worker = rows.worker("gpu")
    assert act(operator, Worker, "drain", worker.pk) == ["1 asked to leave."]
    assert act(operator, Worker, "drain", worker.pk) == ["Worker gpu is draining already."]
    token = tokens.create_token("gpu")
    row = WorkerToken.objects.get()
    assert act(operator, WorkerToken, "revoke", row.pk) == ["1 names: all tokens revoked."]
    with pytest.raises(tokens.Unauthorised):
        tokens.authenticate(token)
    assert row.sha256.encode() not in operator.get(url(WorkerToken, "change", row.pk)).content
