"""The workers: how each is, what it runs on and did; drained by operators, their tokens revoked by admins."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from research.models import Event, Worker, WorkerSession, WorkerToken
from research.models.clock import DatabaseNow
from research.services import tokens
from tests.integration.services_data import rows

if TYPE_CHECKING:
    from django.http import HttpResponse

pytestmark = pytest.mark.django_db(transaction=True)
HOST = {
    "hostname": "box", "cores": 8, "memory": 34_359_738_368, "gpu": "NVIDIA H200", "cpu": {"model": "EPYC"},
    "versions": {"python": "3.11.2", "numpy": "2.1.0", "talib": "0.6.4"},
}  # fmt: skip


@pytest.fixture
def admin(transactional_db: None) -> Client:
    """ada, of the group admin."""
    user = get_user_model().objects.create_user("ada", password="correct horse")
    user.groups.add(Group.objects.get(name="admin"))
    client = Client()
    client.force_login(user)
    return client


def test_the_list_says_how_each_worker_is_and_what_it_runs(viewer: Client) -> None:
    gpu, gone = rows.worker("gpu"), rows.worker("old")
    operation = rows.running(gpu)
    Worker.objects.filter(pk=gpu.pk).update(host=HOST)
    Worker.objects.filter(pk=gone.pk).update(last_seen_at="2020-01-01T00:00:00Z")
    for page in (body(viewer.get("/workers")), body(viewer.get(reverse("workers-part")))):
        assert 'id="worker-gpu" data-state="connected"' in page
        assert f"Training of #{operation.research_id}" in page
        assert "box, 8 cores, NVIDIA H200" in page
        assert 'id="worker-old" data-state="gone"' in page
        assert "1 gone" in page
        assert "data-dialog>" not in page


def test_a_worker_tells_its_host_incarnations_and_past(viewer: Client) -> None:
    gpu = rows.worker("gpu")
    old = WorkerSession.objects.create(
        worker=gpu, incarnation=uuid4(), confirmed_at=DatabaseNow(), ended_at=DatabaseNow()
    )
    now = WorkerSession.objects.create(worker=gpu, incarnation=uuid4(), confirmed_at=DatabaseNow())
    Worker.objects.filter(pk=gpu.pk).update(host=HOST, session=now.pk)
    past = rows.lost(rows.running(gpu))
    page = body(viewer.get("/workers/gpu"))
    for words in ("32.0 GiB", "NVIDIA H200", "2.1.0", "EPYC", "Orphaned: its runner is gone"):
        assert words in page
    assert ">Counts now<" in cell(page, f"session-{now.pk}")
    assert ">Ended<" in cell(page, f"session-{old.pk}")
    assert f"research {past.research_id}" in cell(page, f"operation-{past.pk}")
    assert "What it runs on" in body(viewer.get(reverse("worker-part", args=["gpu"])))


def test_a_worker_nobody_knows_is_said_so(viewer: Client) -> None:
    answer = viewer.get("/workers/nobody")
    assert (answer.status_code, "There is no worker nobody" in body(answer)) == (404, True)
    assert viewer.get("/workers/nobody/part").status_code == 404


def test_without_workers_the_page_says_how_to_start_one(viewer: Client) -> None:
    page = body(viewer.get("/workers"))
    assert "No worker is connected" in page
    assert "No token was made" in page


def test_an_operator_drains_from_the_list_and_comes_back_to_it(operator: Client) -> None:
    rows.worker("gpu")
    assert 'href="/workers/gpu/drain?next=/workers" data-dialog' in body(operator.get("/workers"))
    assert 'name="next" value="/workers"' in body(operator.get("/workers/gpu/drain?next=/workers"))
    answer = operator.post("/workers/gpu/drain", {"next": "/workers"})
    assert answer["Location"] == "/workers"
    assert Worker.objects.get(name="gpu").drain_requested
    assert ">Drain<" not in body(operator.get("/workers"))


def test_only_an_admin_revokes_a_token_and_is_asked_first(operator: Client, admin: Client) -> None:
    secret = tokens.create_token("gpu")
    rows.worker("gpu-1")
    address = reverse("token-revoke", args=["gpu"])
    assert address not in body(operator.get("/workers"))
    refused = operator.post(address)
    assert (refused.status_code, "“admin”" in body(refused)) == (403, True)
    page = body(admin.get("/workers"))
    assert address in cell(page, "token-gpu")
    assert "gpu-1" in cell(page, "token-gpu")
    assert "Revoke the tokens for gpu?" in body(admin.get(address))
    assert WorkerToken.objects.get().revoked_at is None
    assert admin.post(address)["Location"] == "/workers"
    page = body(admin.get("/workers"))
    assert "1 token for gpu revoked." in page
    assert ">Revoked<" in cell(page, "token-gpu")
    assert Event.objects.get(code="token.revoked").user == "ada"
    assert secret not in page
    assert admin.post(address).status_code == 404


def cell(text: str, key: str) -> str:
    return text.split(f'id="{key}"', maxsplit=1)[1].split("</tr>", maxsplit=1)[0]


def body(answer: HttpResponse) -> str:
    return answer.content.decode()
