"""Bearer tokens of workers: made, revoked, recognised. Only their SHA-256 is stored, so a token is shown once."""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import TYPE_CHECKING

from django.conf import settings
from pydantic import TypeAdapter, ValidationError

from ktrdr_site.processes import write_atomically
from research.models import Topic, WorkerToken
from research.models.clock import DatabaseNow
from research.services.change import change
from research.services.errors import Invalid, NotFound, Unauthorised
from workers.faults import point
from workers.protocol import WorkerName

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_NAME: TypeAdapter[str] = TypeAdapter(WorkerName)


def create_token(name: str, *, user: str = "") -> str:
    """A new token for the worker NAME and for NAME-1, NAME-2, …; earlier ones stay valid until revoked.

    Raises `Invalid` for a name no worker can have.
    """
    _check_name(name)
    token = secrets.token_urlsafe(32)
    with change() as record:
        WorkerToken.objects.create(name=name, sha256=_digest(token))
        record.event(Topic.OPERATOR, "token.created", f"A token for worker {name} was created.", worker=name, user=user)
    return token


def revoke(name: str, *, user: str = "") -> int:
    """Make every token of exactly this name useless; its workers get 401 from now on. Returns how many there were.

    Raises `NotFound` when there is none.
    """
    with change() as record:
        count = WorkerToken.objects.filter(name=name, revoked_at=None).update(revoked_at=DatabaseNow())
        if count == 0:
            raise NotFound(f"There is no valid token for {name!r}. `manage.py workers create-token {name}` makes one.")
        message = f"{count} token{'s' if count > 1 else ''} for worker {name} revoked."
        record.event(Topic.OPERATOR, "token.revoked", message, worker=name, user=user, count=count)
    return count


def authenticate(token: str) -> WorkerToken:
    """The row of a valid token. Raises `Unauthorised`."""
    found = WorkerToken.objects.filter(sha256=_digest(token), revoked_at=None).first()
    if found is None:
        raise Unauthorised(
            "This token is unknown or revoked. `manage.py workers create-token NAME` on the backend makes a new one."
        )
    return found


def names_of(tokens: Iterable[str]) -> dict[str, str]:
    """The name each valid one of these tokens was made for."""
    digests = {_digest(token): token for token in set(tokens)}
    valid = WorkerToken.objects.filter(sha256__in=list(digests), revoked_at=None)
    return {digests[sha256]: name for sha256, name in valid.values_list("sha256", "name")}


def serves(token: WorkerToken, worker: str) -> bool:
    """A token for NAME serves the workers NAME and NAME-n, n a whole number."""
    return serves_name(token.name, worker)


def serves_name(name: str, worker: str) -> bool:
    """The same, by the token's name."""
    return re.fullmatch(r"(-[0-9]+)?", worker.removeprefix(name)) is not None and worker.startswith(name)


def ensure_local_token(name: str) -> str:
    """The token of this machine's own workers NAME-n, kept in the data folder; made anew when it is not valid."""
    path = _secret_file(name)
    token = path.read_text().strip() if path.exists() else ""
    if token and WorkerToken.objects.filter(sha256=_digest(token), name=name, revoked_at=None).exists():
        return token
    token = create_token(name)
    point("token.created")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_atomically(path, token)
    return token


def _secret_file(name: str) -> Path:
    _check_name(name)
    folder: Path = settings.ENV.data_dir / "secrets"
    return folder / f"worker-{name}"


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _check_name(name: str) -> None:
    try:
        _NAME.validate_python(name)
    except ValidationError:
        raise Invalid(
            f"{name!r} cannot be a worker's name: write at most 63 of a-z, 0-9, '.', '_', '-'; a letter or digit first."
        ) from None
