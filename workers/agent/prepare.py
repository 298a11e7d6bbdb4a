"""Bring what a job needs onto this disk: inputs through the cache, the newest checkpoint that arrives whole."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING

from workers import faults
from workers.agent.messages import Prepared, Unprepared
from workers.client import Damaged, Refused, Unreachable
from workers.protocol import ErrorReport

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable
    from pathlib import Path

    from workers.cache import Cache
    from workers.client import Client
    from workers.protocol import Assignment, CheckpointRef, InputRef

log = logging.getLogger("ktrdr.worker.prepare")

TRIES_OF_A_DAMAGED_FILE = 3
RETRY_FIRST, RETRY_MOST = 0.1, 2.0
HOPELESS = {400, 403, 404, 405, 409, 410, 413, 416, 422}


class Cancelled(Exception):
    """The operation was stopped meanwhile."""


class Preparation:
    """One operation's files. `cancelled` ends it between two tries."""

    def __init__(
        self, client: Client, cache: Cache, assignment: Assignment, folder: Path, cancelled: threading.Event
    ) -> None:
        self._client = client
        self._cache = cache
        self._assignment = assignment
        self._folder = folder
        self._cancelled = cancelled

    def run(self, candidates: tuple[CheckpointRef, ...]) -> Prepared | Unprepared | None:
        """The event that says how it went; None when it was cancelled."""
        try:
            files = {ref.name: self._input(ref) for ref in self._assignment.inputs}
            checkpoint, rest = self._checkpoint(candidates)
        except Cancelled:
            return None
        except (Refused, Damaged) as error:
            message = f"An input cannot be fetched: {error}"[:20_000]
            return Unprepared(self._assignment.id, ErrorReport(reason="error", message=message))
        faults.point("worker.prepared")
        return Prepared(self._assignment.id, files, checkpoint, rest)

    def _input(self, ref: InputRef) -> Path:
        cached = self._cache.get(ref.sha256, ref.size)
        if cached is not None:
            return cached
        path = self._cache.path(ref.sha256)
        self._insist(ref.name, partial(self._client.fetch, ref.path, path, sha256=ref.sha256, size=ref.size))
        return path

    def _checkpoint(self, candidates: tuple[CheckpointRef, ...]) -> tuple[Path | None, tuple[CheckpointRef, ...]]:
        """The first candidate that arrives whole, and those after it; None = begin at the beginning."""
        for index, ref in enumerate(candidates):
            path = self._folder / f"from-{ref.operation}-{ref.unit}.ckpt"
            source = f"/api/v1/operations/{ref.operation}/checkpoints/{ref.unit}"
            fetch = partial(self._client.fetch, source, path, sha256=ref.sha256, size=ref.size)
            try:
                self._insist(source, fetch)
            except (Refused, Damaged) as error:
                log.warning("operation %s: checkpoint %s not used: %s", self._assignment.id, source, error)
                continue
            return path, candidates[index + 1 :]
        return None, ()

    def _insist(self, what: str, fetch: Callable[[], None]) -> None:
        """Try until it is there. An absent backend is waited for; damage and refusals are borne a few times at most."""
        delay, damaged = RETRY_FIRST, 0
        while not self._cancelled.is_set():
            try:
                return fetch()
            except Damaged as error:
                damaged += 1
                if damaged >= TRIES_OF_A_DAMAGED_FILE:
                    raise Damaged(f"{what}: {error}") from error
            except Refused as error:
                if error.status in HOPELESS:
                    raise
            except Unreachable as error:
                log.info("operation %s: %s: %s", self._assignment.id, what, error)
            self._cancelled.wait(delay)
            delay = min(RETRY_MOST, delay * 2)
        raise Cancelled
