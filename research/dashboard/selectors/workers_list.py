"""Every worker in a line, and the tokens they come with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db.models import Count, Max, Q

from research.models import WorkerToken
from research.selectors.standing import Situation
from research.selectors.workers import WorkerState
from research.services.tokens import serves_name

if TYPE_CHECKING:
    from datetime import datetime

    from research.selectors.workers import WorkerView

MOST_TOKENS = 200


@dataclass(frozen=True, slots=True)
class Row:
    """A worker; `seen_at` is None for one never heard of, `host` says in a line what it runs on."""

    view: WorkerView
    seen_at: datetime | None
    host: str

    @property
    def drainable(self) -> bool:
        return not self.view.draining and self.view.state not in {WorkerState.DISCONNECTED, WorkerState.GONE}


@dataclass(frozen=True, slots=True)
class Token:
    """All tokens of one name; `valid` of them still open the door, to the workers `used_by`."""

    name: str
    valid: int
    revoked: int
    newest_at: datetime
    used_by: list[str]


@dataclass(frozen=True, slots=True)
class Workers:
    """`here` are those that count, `gone` those that left or have not been heard of for long."""

    here: list[Row]
    gone: list[Row]
    tokens: list[Token]

    @property
    def present(self) -> int:
        return sum(row.view.present for row in self.here)


def workers() -> Workers:
    """A fixed number of queries."""
    situation = Situation()
    rows = [row_of(view, situation.now) for view in situation.workers]
    here = [row for row in rows if row.view.state != WorkerState.GONE]
    return Workers(here, [row for row in rows if row not in here], _tokens([row.view.name for row in rows]))


def row_of(view: WorkerView, now: datetime) -> Row:
    age = view.heartbeat_age_s
    return Row(view, None if age is None else now - timedelta(seconds=age), _host(view))


def _host(view: WorkerView) -> str:
    said = view.host
    cores = f"{said['cores']} cores" if said.get("cores") else ""
    return ", ".join(str(part) for part in (said.get("hostname"), cores, said.get("gpu")) if part)


def _tokens(workers: list[str]) -> list[Token]:
    valid = Count("id", filter=Q(revoked_at=None))
    found = WorkerToken.objects.values("name").annotate(valid=valid, all=Count("id"), newest=Max("created_at"))
    return [
        Token(
            one["name"], one["valid"], one["all"] - one["valid"], one["newest"],
            [worker for worker in workers if serves_name(one["name"], worker)],
        )
        for one in found.order_by("name")[:MOST_TOKENS]
    ]  # fmt: skip
