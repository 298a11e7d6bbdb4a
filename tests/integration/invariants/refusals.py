"""Whether the database refuses statements, by which constraint or trigger, and how clearly it says so."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
import pytest
from django.db import IntegrityError

from tests.support.sql import attempt

if TYPE_CHECKING:
    from collections.abc import Iterator

EVENT = """
INSERT INTO research_event (seq, at, topic, code, level, message, research_id, operation_id, worker, "user", data, xact)
SELECT 0, now(), 'operation', %(code)s, 'info', 'By hand.', research_id, id, '', '', '{}', 0
FROM research_operation WHERE id = %(id)s"""
RESEARCH_EVENT = EVENT.replace("research_id, id, '', ''", "id, NULL, '', ''").replace(
    "FROM research_operation", "FROM research_research"
)


@contextmanager
def refused(code: str, words: str = "") -> Iterator[None]:
    """The block must end in an error of the constraint `code`, or of a trigger whose message begins with `code`."""
    with pytest.raises(IntegrityError) as caught:
        yield
    cause = caught.value.__cause__
    assert isinstance(cause, psycopg.Error)
    text = cause.diag.message_primary or ""
    named = cause.diag.constraint_name or text.partition(":")[0]
    assert named == code, text
    assert re.search(words, text), text


def change_of(operation_id: int, setting: str, code: str) -> None:
    """An UPDATE of an operation with an event that says so, committed."""
    attempt(f"UPDATE research_operation SET {setting} WHERE id = %(id)s", EVENT, id=operation_id, code=code)


def move_of(research_id: int, setting: str, code: str) -> None:
    attempt(f"UPDATE research_research SET {setting} WHERE id = %(id)s", RESEARCH_EVENT, id=research_id, code=code)


def copy_of(operation_id: int, **columns: str) -> None:
    """INSERT a copy of an operation, some columns as the SQL given, with the event of its creation; committed."""
    first = "research_id, kind, status, reason, message, attempt, spec, seed, runner, unit, units, fraction, result"
    rest = "progress_message, metrics_through, reported, queued_at, started_at, ended_at, continues_id, resumed_from_id"
    more = "resumed_from_unit, worker_id, incarnation, cluster, lease_expires_at, deadline_at, runner_pid"
    names = f"{first}, {rest}, {more}".split(", ")
    values = ", ".join(columns.get(name, name) for name in names)
    event = EVENT.replace("WHERE id = %(id)s", "ORDER BY id DESC LIMIT 1")
    attempt(
        f"INSERT INTO research_operation ({', '.join(names)}) SELECT {values} FROM research_operation"
        " WHERE id = %(id)s", event, id=operation_id, code="operation.queued",
    )  # fmt: skip
