"""POST /api/v1/workers/sync: the call that is registration, heartbeat, report and request for work in one."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema
from pydantic import ValidationError

from research.api.batching import Batches, Lanes
from research.api.holding import holding
from research.services import sync as service
from research.services import tokens
from research.services.errors import Forbidden, ServiceError
from workers.faults import point
from workers.protocol import SyncAnswer, SyncRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from research.api.holding import Hold
    from workers.protocol import Assignment

router = Router()


class Problem(Schema):
    """Why a call is refused: `code` for programs, `message` for people."""

    code: str
    message: str


class Late(ServiceError):
    """Nobody waits for this answer any more."""

    status = 503
    code = "late"


@dataclass(frozen=True, slots=True)
class Call:
    """One call as it came: the message, its token, the address it came through."""

    request: SyncRequest
    token: str
    entry: str


@dataclass(frozen=True, slots=True)
class Heard:
    """What a plain call came to; None when it needs all of `service.handle`. `work`: something waits for a worker."""

    answer: SyncAnswer | None = None
    work: bool = False


@router.post("/sync", response={200: SyncAnswer, 401: Problem, 403: Problem, 409: Problem, 422: Problem, 503: Problem},
             openapi_extra={"security": [{"WorkerToken": []}], "requestBody": {"required": True, "content": {
                 "application/json": {"schema": {"$ref": "#/components/schemas/SyncRequest"}}}}})  # fmt: skip
async def sync(request: HttpRequest) -> HttpResponse:
    """A worker's whole state; the answer is everything it should now be doing. See `docs/recovery.md`.

    401 token, 403 another's name, 409 another process took the name, 422 what is wrong in the message, 503 no database.
    In the web process `research.api.door` answers before Django does.
    """
    status, body = await respond(request.body, request.headers.get("Authorization", ""), request.get_host())
    return HttpResponse(body, status=status, content_type="application/json")


async def respond(body: bytes, authorization: str, entry: str) -> tuple[int, bytes]:
    """HTTP status and JSON."""
    try:
        request = SyncRequest.model_validate_json(body)
    except ValidationError as error:
        return _problem(422, "invalid", "; ".join(_place(one) for one in error.errors()))
    hold = holding.newest(request.worker, () if request.operations or request.draining else request.kinds)
    try:
        return await _answered(Call(request, authorization.removeprefix("Bearer ").strip(), entry), hold)
    except ServiceError as error:
        return _problem(error.status, error.code, str(error))
    except (OperationalError, InterfaceError):
        return _problem(503, "database_unavailable", "The database does not answer; try again.")
    finally:
        holding.forget(request.worker, hold)


async def _answered(call: Call, hold: Hold) -> tuple[int, bytes]:
    heard = await _plain.result(call)
    answer, idle = heard.answer, heard.answer is not None and not call.request.operations
    if answer is None:
        outcome = await _lanes.result(call.request.worker, partial(_whole, call, hold))
        if outcome.answer is None:
            return _problem(409, "superseded", outcome.refused)
        answer, idle, heard = outcome.answer, outcome.idle, replace(heard, work=True)
    if idle and answer.assignment is None:
        given = await _wait_for_work(call.request, answer.session, hold, look=heard.work)
        answer = answer.model_copy(update={"assignment": given})
    return 200, answer.model_dump_json().encode()


def _beats(calls: Sequence[Call]) -> list[Heard]:
    """Plain calls with a good token; whoever else came is left to `_whole`, which says what is wrong."""
    names = tokens.names_of(call.token for call in calls)
    good = [n for n, call in enumerate(calls) if tokens.serves_name(names.get(call.token, "\0"), call.request.worker)]
    heard = [Heard()] * len(calls)
    answers = service.beat([(calls[n].request, calls[n].entry) for n in good])
    idle = any(answer is not None and not answer.operations for answer in answers)
    waiting = service.kinds_that_wait() if idle else {}
    for n, answer in zip(good, answers, strict=True):
        heard[n] = Heard(answer, any(kind in waiting for kind in calls[n].request.kinds))
        if answer is not None and answer.operations:
            point("sync.reported")
    return heard


_plain: Batches[Call, Heard] = Batches(_beats)
_lanes = Lanes(3)


def _whole(call: Call, hold: Hold) -> service.Outcome:
    if hold.over:
        raise Late("A newer call of this worker came before this one's turn.")
    token = tokens.authenticate(call.token)
    if not tokens.serves(token, call.request.worker):
        raise Forbidden(f"The token of {token.name} does not serve the name {call.request.worker}.")
    outcome = service.handle(call.request, call.entry)
    if call.request.operations:
        point("sync.reported")
    return outcome


async def _wait_for_work(request: SyncRequest, session: int, hold: Hold, *, look: bool) -> Assignment | None:
    """Work now if there is some (`look`), or as soon as there is within `wait` s. Whoever looks listens first."""
    until = asyncio.get_running_loop().time() + request.wait
    while True:
        if look:
            hold.listen()
            look_for = partial(service.assign, request.worker, session, request.seq, request.kinds)
            given = await _lanes.result(request.worker, look_for)
            if given is not None:
                point("sync.assigned")
                return given
        left = until - asyncio.get_running_loop().time()
        if left <= 0 or hold.over:
            return None
        look = await hold.until(left) and not hold.over


def _place(error: Any) -> str:
    where = ".".join(str(part) for part in error["loc"])
    return f"{where}: {error['msg']}" if where else str(error["msg"])


def _problem(status: int, code: str, message: str) -> tuple[int, bytes]:
    return status, json.dumps({"code": code, "message": message}).encode()


def described() -> dict[str, Any]:
    """What the OpenAPI document needs besides: the message a worker sends, and its token."""
    schema = SyncRequest.model_json_schema(ref_template="#/components/schemas/{model}")
    parts = schema.pop("$defs", {})
    token = {"type": "http", "scheme": "bearer", "description": "A worker's token: `manage.py workers create-token`."}
    return {"components": {"schemas": {"SyncRequest": schema, **parts}, "securitySchemes": {"WorkerToken": token}}}
