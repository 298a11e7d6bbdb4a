"""Who calls: a worker with its bearer token, or a signed-in user. Scripts of people use the session too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from ninja.security import HttpBearer, SessionAuth

from research.lifecycle.states import Status
from research.models import Operation
from research.services import tokens
from research.services.errors import Forbidden, Invalid
from workers.protocol import INCARNATION_HEADER, WORKER_HEADER

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser
    from django.http import HttpRequest


@dataclass(frozen=True, slots=True)
class WorkerCaller:
    """A worker whose token serves the name it gives."""

    name: str
    incarnation: UUID


class WorkerToken(HttpBearer):
    """`Authorization: Bearer TOKEN`, with the headers that name worker and incarnation.

    Raises `Unauthorised`, `Forbidden`, `Invalid`.
    """

    def authenticate(self, request: HttpRequest, token: str) -> WorkerCaller:
        row = tokens.authenticate(token)
        name = request.headers.get(WORKER_HEADER, "")
        if not tokens.serves(row, name):
            raise Forbidden(
                f"The token of {row.name} serves {row.name} and {row.name}-n, not {name!r} (header {WORKER_HEADER})."
            )
        return WorkerCaller(name, _incarnation(request.headers.get(INCARNATION_HEADER, "")))


worker_token = WorkerToken()
session = SessionAuth()


def need(request: HttpRequest, permission: str) -> AbstractBaseUser:
    """The signed-in user, who has the permission. Raises `Forbidden`."""
    user: Any = request.user
    if not user.has_perm(permission):
        raise Forbidden(f"{user.get_username()} may look but not do this: it needs the permission {permission}.")
    return user  # type: ignore[no-any-return]


def need_work_in(caller: Any, **where: Any) -> None:
    """A worker may read only what belongs to the research of what it runs; users may read all. Raises `Forbidden`."""
    if not isinstance(caller, WorkerCaller):
        return
    running = Operation.objects.filter(status=Status.RUNNING, worker__name=caller.name, **where)
    if not running.exists():
        raise Forbidden(f"Worker {caller.name} runs nothing that needs this.")


def _incarnation(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Invalid(
            f"The header {INCARNATION_HEADER} is {text!r}: it must be the worker's incarnation, a UUID."
        ) from None
