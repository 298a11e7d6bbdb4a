"""Seconds until the platform answers: cold, warm, and after each of its parts was killed."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from ktrdr_site.localpg import Server
from scripts.bench.figures import Figure
from tests.support.stack import Stack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def timed(what: str, act: Callable[[], object]) -> Figure:
    began = time.perf_counter()
    act()
    return Figure(what, [time.perf_counter() - began])


def figures() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder) / "postgres")
        yield timed("PostgreSQL, first start in an empty folder", server.start)
        yield timed("PostgreSQL, stop", server.stop)
        yield timed("PostgreSQL, start again", server.start)
        server.stop()
        yield from _stack(Stack(Path(folder) / "stack", environment={"KTRDR_POSTGRES_OPTIONS": ""}))


def _stack(stack: Stack) -> Iterator[Figure]:
    yield timed("manage.py up, first start, until all runs", stack.start)
    for role in ("web", "postgres", "cluster"):
        yield timed(f"{role} killed, until another runs in its place", lambda role=role: _replace(stack, role))
    yield timed("manage.py up, stop", stack.stop)
    yield timed("manage.py up, start again, until all runs", stack.start)
    stack.stop()


def _replace(stack: Stack, role: str) -> None:
    stack.wait_restarted(role, stack.kill(role))
    stack.wait_up()
    stack.wait_answers()
