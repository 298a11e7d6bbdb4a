"""The same call over HTTP: who is refused with which status, and that what is good in a call counts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connections
from django.test import Client

from research.lifecycle.states import Status
from research.live import threads
from research.models import Operation, Worker
from research.services import tokens
from tests.support import factories
from tests.support.caller import Caller, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.http import HttpResponse

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _own_pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Threads whose database connections end with the test."""
    with ThreadPoolExecutor(1) as pool:
        monkeypatch.setattr(threads, "_POOL", pool)
        yield
        pool.submit(connections.close_all).result(10)


def post(caller: Caller, token: str, *reports: Any, **changes: Any) -> HttpResponse:
    said = caller.request(*reports).model_dump(mode="json") | changes
    answer = Client().post(
        "/api/v1/workers/sync", said, content_type="application/json", headers={"authorization": f"Bearer {token}"}
    )
    if answer.status_code == 200:
        caller.session = answer.json()["session"]
    return answer


@pytest.fixture
def token() -> str:
    return tokens.create_token("gpu")


@pytest.fixture
def gpu(token: str) -> Caller:
    caller = Caller("gpu")
    assert [post(caller, token).status_code for _ in range(2)] == [200, 200]
    return caller


def test_a_call_gets_work_and_the_next_one_goes_on_with_it(gpu: Caller, token: str) -> None:
    operation = factories.queued(factories.training_research())
    given = post(gpu, token).json()["assignment"]
    assert (given["id"], given["kind"]) == (operation.pk, "training")
    [answer] = post(gpu, token, running(operation, 5)).json()["operations"]
    assert answer["verdict"] == "continue"
    assert Operation.objects.get().unit == 5


def test_a_revoked_token_is_401_and_changes_nothing(gpu: Caller, token: str) -> None:
    training = factories.training_on(gpu)
    before = Operation.objects.filter(pk=training.pk).values().get()
    tokens.revoke("gpu", user="ada")
    for bad in (token, "", "made up"):
        answer = post(gpu, bad, running(training, 50))
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthorised")
        assert "create-token" in answer.json()["message"]
    assert Operation.objects.filter(pk=training.pk).values().get() == before


@pytest.mark.parametrize(("name", "status"), [("gpu-1", 200), ("gpu-17", 200), ("gpu-x", 403), ("cpu", 403)])
def test_a_token_serves_its_name_and_numbered_ones_alone(token: str, name: str, status: int) -> None:
    assert post(Caller(name), token).status_code == status
    assert Worker.objects.exists() == (status == 200)


def test_a_stale_session_is_409_for_ever_and_its_work_goes_on_elsewhere(gpu: Caller, token: str) -> None:
    training = factories.training_on(gpu)
    newer = Caller("gpu")
    assert [post(newer, token).status_code for _ in range(2)] == [200, 200]
    for _ in range(2):
        answer = post(gpu, token, running(training, 50))
        assert (answer.status_code, answer.json()["code"]) == (409, "superseded")
        assert "another worker took the name gpu" in answer.json()["message"]
    factories.again(training, Status.FAILED)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"protocol": 2}, "protocol"),
        ({"worker": "Not A Name"}, "worker"),
        ({"seq": -1}, "seq"),
        ({"seq": 2**63}, "seq"),
        ({"kinds": []}, "kinds"),
        ({"kinds": ["design"]}, "kinds"),
        ({"incarnation": "me"}, "incarnation"),
        ({"misspelt": 1}, "misspelt"),
        ({"operations": [{"id": 1, "state": "resting"}]}, "operations.0.state"),
        ({"operations": [{"id": 2**80, "state": "running"}]}, "operations.0.id"),
    ],
)
def test_a_bad_envelope_is_422_and_says_what_is_wrong(
    gpu: Caller, token: str, changes: dict[str, Any], words: str
) -> None:  # fmt: skip
    before = gpu.row().seq
    answer = post(gpu, token, **changes)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert words in answer.json()["message"]
    assert gpu.row().seq == before


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff\xfe"])
def test_what_is_no_json_object_is_422(token: str, body: bytes) -> None:
    answer = Client().post("/api/v1/workers/sync", body, content_type="application/json")
    assert answer.status_code == 422


def test_a_held_call_that_finds_no_work_answers_without_any(gpu: Caller, token: str) -> None:
    assert post(gpu, token, wait=0.3).json()["assignment"] is None
