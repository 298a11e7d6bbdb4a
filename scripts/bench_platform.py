"""`make bench`: seconds until the platform answers, cold, warm, and after each of its parts was killed."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from ktrdr_site.localpg import Server
from tests.support.stack import Stack

if TYPE_CHECKING:
    from collections.abc import Callable


def measure(what: str, act: Callable[[], object]) -> None:
    began = time.perf_counter()
    act()
    sys.stdout.write(f"{what:58} {time.perf_counter() - began:6.2f} s\n")
    sys.stdout.flush()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder) / "postgres")
        measure("PostgreSQL, first start in an empty folder", server.start)
        measure("PostgreSQL, stop", server.stop)
        measure("PostgreSQL, start again", server.start)
        server.stop()
        stack = Stack(Path(folder) / "stack", environment={"KTRDR_POSTGRES_OPTIONS": ""})
        measure("manage.py up, first start, until all runs", stack.start)
        for role in ("web", "postgres", "cluster"):
            if stack.pids(role):
                measure(f"{role} killed, until another runs in its place", lambda role=role: _replace(stack, role))
        measure("manage.py up, stop", stack.stop)
        measure("manage.py up, start again, until all runs", stack.start)
        stack.stop()


def _replace(stack: Stack, role: str) -> None:
    stack.wait_restarted(role, stack.kill(role))
    stack.wait_up()
    stack.wait_answers()


if __name__ == "__main__":
    main()
