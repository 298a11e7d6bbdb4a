"""Held calls: a newer call ends them, work wakes one of them, and none is missed between a look and the wait."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connections

from research.api.holding import holding
from research.api.sync import respond
from research.live import threads
from research.models import Operation
from research.services import sync, tokens
from tests.support import factories

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.caller import Caller

pytestmark = pytest.mark.django_db(transaction=True)

LONG, SOON = 20, 8  # how long a call is to be held; how soon something else should have ended it


@pytest.fixture(autouse=True)
def _own_pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Threads whose database connections end with the test."""
    with ThreadPoolExecutor(1) as pool:
        monkeypatch.setattr(threads, "_POOL", pool)
        yield
        pool.submit(connections.close_all).result(10)


async def post(caller: Caller, token: str, wait: float = 0.0) -> dict[str, Any]:
    status, body = await respond(caller.request(wait=wait).model_dump_json().encode(), f"Bearer {token}", caller.entry)
    assert status == 200, body
    answer: dict[str, Any] = json.loads(body)
    return answer


async def held(*callers: Caller) -> None:
    """Their calls have come and found nothing."""
    async with asyncio.timeout(SOON):
        while not all(caller.name in holding._newest for caller in callers):  # noqa: ASYNC110  # a condition of theirs
            await asyncio.sleep(0.01)


@pytest.mark.scenario(45)
def test_a_newer_call_of_a_worker_ends_its_held_one_and_is_the_one_that_is_given_work() -> None:
    gpu, token = factories.worker(), tokens.create_token("gpu")

    async def both() -> list[dict[str, Any]]:
        first = asyncio.create_task(post(gpu, token, LONG))
        await held(gpu)
        second = asyncio.create_task(post(gpu, token, LONG))
        one = await asyncio.wait_for(first, SOON)
        await asyncio.to_thread(_queue)
        holding.wake({"training": 1})
        return [one, await asyncio.wait_for(second, SOON)]

    old, new = asyncio.run(both())
    assert old["assignment"] is None
    assert new["assignment"]["id"] == Operation.objects.running().get().pk


def _queue() -> None:
    try:
        factories.queued(factories.training_research())
    finally:
        connections.close_all()


def test_each_piece_of_work_wakes_one_held_call() -> None:
    callers = [factories.worker(f"gpu-{n}") for n in range(1, 4)]
    token = tokens.create_token("gpu")

    async def all_of_them() -> list[dict[str, Any]]:
        calls = [asyncio.create_task(post(caller, token, LONG)) for caller in callers]
        await held(*callers)
        await asyncio.to_thread(_queue)
        holding.wake(await threads.in_thread(sync.kinds_that_wait))
        done, others = await asyncio.wait(calls, timeout=SOON, return_when=asyncio.FIRST_COMPLETED)
        for call in others:
            call.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        return [call.result() for call in done]

    [given] = asyncio.run(all_of_them())
    assert given["assignment"]["id"] == Operation.objects.running().get().pk
    assert not holding._newest, "nobody is remembered who no longer waits"


def test_a_worker_is_not_woken_for_work_of_another_kind() -> None:
    tester = factories.worker("gpu-1", "backtest")
    token = tokens.create_token("gpu")

    async def one() -> bool:
        call = asyncio.create_task(post(tester, token, LONG))
        await held(tester)
        holding.wake({"training": 1})
        waits = holding._newest["gpu-1"].waits
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        return waits

    assert asyncio.run(one())


def test_work_that_waited_before_the_call_came_is_given_at_once() -> None:
    gpu, token = factories.worker(), tokens.create_token("gpu")
    operation = factories.queued(factories.training_research())
    answer = asyncio.run(asyncio.wait_for(post(gpu, token, LONG), SOON))
    assert answer["assignment"]["id"] == operation.pk


def test_calls_that_come_together_are_heard_together() -> None:
    callers = [factories.worker(f"gpu-{n}") for n in range(1, 8)]
    token = tokens.create_token("gpu")

    async def all_of_them() -> list[dict[str, Any]]:
        return await asyncio.gather(*(post(caller, token) for caller in callers))

    assert [answer["session"] for answer in asyncio.run(all_of_them())] == [caller.session for caller in callers]
    assert all(caller.row().seq == caller.seq for caller in callers)
