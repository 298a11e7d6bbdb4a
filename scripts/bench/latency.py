"""How soon what is queued is begun by an idle worker, and how soon what is committed is seen in an open page."""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from websockets.asyncio.client import connect

from scripts.bench.figures import Figure
from scripts.bench.load.fleet import Fleet
from scripts.bench.sync import CREATE
from tests.acceptance.recovery.cast import load_sample, query
from tests.support.stack import Stack

if TYPE_CHECKING:
    from collections.abc import Iterator

RUNS = 60
GAP_S = 0.25  # between two runs: each meets an idle system

_SESSION = """
from django.contrib.auth import get_user_model, login
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest
user = get_user_model().objects.create_superuser("bench", password="bench-of-this-machine")
request = HttpRequest()
request.session = SessionStore()
login(request, user, backend="django.contrib.auth.backends.ModelBackend")
request.session.save()
print(request.session.session_key)
"""
# The moment before the event is written and its transaction commits, and the number it got.
_COMMIT = f"""
import time
from research.models import Event, Topic
from research.services.change import change
for n in range({RUNS}):
    time.sleep({GAP_S})
    with change() as record:
        record.event(Topic.OPERATOR, "bench.event", "An event to be seen.")
        began = time.time()
    print(Event.objects.filter(code="bench.event").latest("seq").seq, began)
"""
_QUEUED = "SELECT id, extract(epoch FROM queued_at)::float8 FROM research_operation WHERE kind = 'training'"


def figures() -> Iterator[Figure]:
    only_backend = ("--training-workers", "0", "--backtest-workers", "0")
    with (
        tempfile.TemporaryDirectory() as folder,
        Stack(Path(folder) / "data", environment={"KTRDR_POSTGRES_OPTIONS": ""}, arguments=only_backend) as stack,
    ):
        load_sample(stack)
        yield asyncio.run(_seen(stack))
        yield asyncio.run(_begun(stack))


async def _begun(stack: Stack) -> Figure:
    token = stack.manage_json("workers", "create-token", "load")["token"]
    async with Fleet(stack.port, token, RUNS) as fleet:
        given = fleet.tally.given
        await _until_connected(fleet)
        await asyncio.to_thread(stack.manage, "shell", "-c", CREATE.format(count=RUNS, gap=GAP_S))
        async with asyncio.timeout(30):
            while len(given) < RUNS:  # noqa: ASYNC110  # a tally is no event
                await asyncio.sleep(0.1)
    queued = dict(await asyncio.to_thread(query, stack, _QUEUED))
    note = (
        f"from the row's queued_at, taken before its transaction commits, to the answer in the worker's hands; {RUNS} "
        "workers, all but those that have work hold a call"
    )
    taken = [at - queued[operation] for operation, at in given.items()]
    return Figure("operation queued -> idle worker starts it", taken, "s", {"p50": 0.05, "p99": 0.2}, note)


async def _until_connected(fleet: Fleet) -> None:
    async with asyncio.timeout(60):
        while len(fleet.tally.heartbeats) < RUNS:  # noqa: ASYNC110  # a tally is no event
            await asyncio.sleep(0.2)


async def _seen(stack: Stack) -> Figure:
    key = stack.manage("shell", "-v", "0", "-c", _SESSION).stdout.split()[-1]
    headers = {"Cookie": f"sessionid={key}", "Origin": stack.url}
    seen: dict[int, float] = {}
    async with connect(f"ws://127.0.0.1:{stack.port}/live", additional_headers=headers) as page:
        listening = asyncio.create_task(_listen(page, seen))
        done = await asyncio.to_thread(stack.manage, "shell", "-v", "0", "-c", _COMMIT)
        await asyncio.sleep(1)
        listening.cancel()
    pairs = [line.split() for line in done.stdout.splitlines() if line[:1].isdigit()]
    taken = [min(at for seq, at in seen.items() if seq >= int(number)) - float(began) for number, began in pairs]
    note = "from before the event is written and committed to the frame that tells its number; one page open"
    return Figure("commit -> event in an open WebSocket", taken, "s", {"p50": 0.02, "p99": 0.1}, note)


async def _listen(page: object, seen: dict[int, float]) -> None:
    async for frame in page:  # type: ignore[attr-defined]
        seen.setdefault(json.loads(frame)["seq"], time.time())
