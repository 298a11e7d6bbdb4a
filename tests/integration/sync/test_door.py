"""Sync is answered before Django; what Django would say, it says the same, and the API's document describes it."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connections
from django.test import Client

from research.api.door import PATH, SyncDoor
from research.live import threads
from research.services import tokens
from tests.support import factories
from tests.support.caller import Caller

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _own_pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Threads whose database connections end with the test."""
    with ThreadPoolExecutor(1) as pool:
        monkeypatch.setattr(threads, "_POOL", pool)
        yield
        pool.submit(connections.close_all).result(10)


def knock(body: bytes, token: str, *, host: str = "localhost", method: str = "POST", path: str = PATH) -> Any:
    """What the door sends; "django" when it sends the caller on."""
    sent: list[Any] = []
    parts = [body[:10], body[10:]]

    async def receive() -> Any:
        return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

    async def send(message: Any) -> None:
        sent.append(message)

    async def django(*_: Any) -> None:
        sent.append("django")

    headers = [(b"host", host.encode()), (b"authorization", f"Bearer {token}".encode())]
    asyncio.run(SyncDoor(django)({"type": "http", "path": path, "method": method, "headers": headers}, receive, send))
    return "django" if sent == ["django"] else (sent[0]["status"], sent[1]["body"])


BODIES = {
    "no object": b"[]", "no JSON": b"{", "an empty one": b"", "no UTF-8": b"\xff\xfe",
    "an unknown key": b'{"misspelt": 1}', "another protocol": b'{"protocol": 2}',
}  # fmt: skip


@pytest.mark.parametrize("name", BODIES)
def test_a_bad_envelope_is_422_with_the_same_words_at_both_doors(name: str) -> None:
    status, body = knock(BODIES[name], "any")
    django = Client().post(PATH, BODIES[name], content_type="application/json", headers={"authorization": "Bearer any"})
    assert (status, body) == (django.status_code, django.content)
    assert status == 422
    assert b'"code": "invalid"' in body


@pytest.mark.parametrize(("token", "status"), [("good", 200), ("bad", 401), ("other", 403)])
def test_who_may_call_is_the_same_at_both_doors(token: str, status: int) -> None:
    known = {"good": tokens.create_token("gpu"), "other": tokens.create_token("cpu"), "bad": "made up"}[token]
    caller = factories.worker()
    first = knock(caller.request().model_dump_json().encode(), known)
    django = Client().post(
        PATH, caller.request().model_dump(mode="json"), content_type="application/json",
        headers={"authorization": f"Bearer {known}"},
    )  # fmt: skip
    assert first == (status, django.content)
    assert django.status_code == status


def test_a_token_that_was_revoked_a_moment_ago_is_refused() -> None:
    token, caller = tokens.create_token("gpu"), Caller("gpu").connect()
    assert knock(caller.request().model_dump_json().encode(), token)[0] == 200
    tokens.revoke("gpu")
    assert knock(caller.request().model_dump_json().encode(), token)[0] == 401


@pytest.mark.parametrize(
    "odd", [{"host": "evil.example"}, {"host": ""}, {"method": "GET"}, {"path": "/api/v1/workers"}]
)
def test_everything_else_goes_on_to_django(odd: dict[str, str]) -> None:
    assert knock(b"{}", "any", **odd) == "django"


def test_the_document_describes_sync_its_message_its_answers_and_its_token() -> None:
    document = Client().get("/api/v1/openapi.json").json()
    described = document["paths"][PATH]["post"]
    assert set(described["responses"]) == {"200", "401", "403", "409", "422", "503"}
    [body] = described["requestBody"]["content"].values()
    schemas = document["components"]["schemas"]
    assert {"protocol", "worker", "seq", "operations"} <= set(
        schemas[body["schema"]["$ref"].split("/")[-1]]["properties"]
    )
    assert {"OperationReport", "MetricPoint", "SyncAnswer", "Assignment"} <= set(schemas)
    [scheme] = described["security"][0]
    assert document["components"]["securitySchemes"][scheme]["scheme"] == "bearer"
