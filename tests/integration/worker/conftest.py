"""A backend and a way to start workers of it."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Protocol

import pytest

from tests.integration.worker.backend import Backend
from tests.integration.worker.process import WorkerProcess

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Start(Protocol):
    def __call__(self, *arguments: str, **options: str) -> WorkerProcess: ...


@pytest.fixture
def backend() -> Iterator[Backend]:
    with Backend() as backend:
        yield backend


@pytest.fixture
def start(tmp_path: Path, backend: Backend) -> Iterator[Start]:
    """`start()`: a worker of the backend; a second one has the same name and spool. All are gone at the end."""
    with ExitStack() as stack:

        def begin(*arguments: str, **options: str) -> WorkerProcess:
            url = options.pop("url", backend.url)
            return stack.enter_context(WorkerProcess(tmp_path / "data", url, *arguments, **options))

        yield begin
