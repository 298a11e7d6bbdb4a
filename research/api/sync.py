"""POST /api/v1/workers/sync: the call that is registration, heartbeat, report and request for work in one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from django.db import InterfaceError, OperationalError
from django.http import HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from pydantic import ValidationError

from research.live.relay import relay
from research.live.threads import in_thread
from research.services import sync as service
from research.services import tokens
from research.services.errors import Forbidden, ServiceError
from workers.faults import point
from workers.protocol import SyncRequest

if TYPE_CHECKING:
    from django.http import HttpRequest

    from research.live.subscription import Push
    from workers.protocol import Assignment

_held: dict[str, asyncio.Event] = {}  # the call of each worker that is held in this process


@csrf_exempt
@require_POST
async def sync(request: HttpRequest) -> HttpResponse:
    """See `recovery.md` section 5. 401 token, 403 another's name, 409 superseded, 422 envelope, 503 no database."""
    try:
        call = SyncRequest.model_validate_json(request.body)
    except ValidationError as error:
        return _problem(
            422, "invalid", "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        )
    ended = _newest(call.worker)
    try:
        outcome = await in_thread(_authenticated, call, request.headers.get("Authorization", ""), request.get_host())
        if outcome.answer is None:
            return _problem(409, "superseded", outcome.refused)
        answer = outcome.answer
        if outcome.idle and answer.assignment is None:
            given = await _hold(call, answer.session, ended)
            answer = answer.model_copy(update={"assignment": given})
    except ServiceError as error:
        return _problem(error.status, error.code, str(error))
    except (OperationalError, InterfaceError):
        return _problem(503, "database_unavailable", "The database does not answer; try again.")
    return HttpResponse(answer.model_dump_json(), content_type="application/json")


def _newest(worker: str) -> asyncio.Event:
    """A newer call of a worker ends its held one."""
    if worker in _held:
        _held[worker].set()
    _held[worker] = asyncio.Event()
    return _held[worker]


def _authenticated(call: SyncRequest, authorization: str, entry: str) -> service.Outcome:
    token = tokens.authenticate(authorization.removeprefix("Bearer ").strip())
    if not tokens.serves(token, call.worker):
        raise Forbidden(f"The token of {token.name} does not serve the name {call.worker}.")
    outcome = service.handle(call, entry)
    if call.operations:
        point("sync.reported")
    return outcome


async def _hold(call: SyncRequest, session: int, ended: asyncio.Event) -> Assignment | None:
    """Give work now, or as soon as there is some within `wait` s. Subscribe first, then look: nothing is missed."""
    until = asyncio.get_running_loop().time() + call.wait
    while True:
        async with relay.changes() as stream:
            given = await in_thread(service.assign, call.worker, session, call.seq, call.kinds)
            left = until - asyncio.get_running_loop().time()
            if given is not None:
                point("sync.assigned")
            if given is not None or left <= 0 or ended.is_set():
                return given
            await stream.until(_is_work, left)


def _is_work(push: Push) -> bool:
    return push.kind == "queue"


def _problem(status: int, code: str, message: str) -> JsonResponse:
    return JsonResponse({"code": code, "message": message}, status=status)
