"""Carries out what the state decided: files, processes and transfers."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from workers import faults
from workers.agent.hands import Hands
from workers.agent.messages import (
    AskToStop,
    Effect,
    Ended,
    Forget,
    HandOver,
    Kill,
    Prepare,
    Start,
    Upload,
    Write,
)
from workers.agent.prepare import Preparation
from workers.agent.uploads import upload
from workers.cache import Cache

if TYPE_CHECKING:
    from collections.abc import Callable

    from workers.agent.children import Child, Children
    from workers.agent.messages import Event
    from workers.agent.settings import Settings
    from workers.client import Client
    from workers.spool import Outcome, Spool

log = logging.getLogger("ktrdr.worker.shell")


class Shell:
    """`post` takes the events that come of it later."""

    def __init__(
        self,
        settings: Settings,
        client: Client,
        spool: Spool,
        children: Children,
        post: Callable[[Event], None],
        broken: Callable[[BaseException], None],
    ) -> None:
        self._client, self._spool, self._children, self._post = client, spool, children, post
        self._cache = Cache(settings.cache_dir)
        self._uploads = Hands("upload", 1, broken)
        self._fetches = Hands("fetch", 2, broken)
        self._preparing: dict[int, threading.Event] = {}
        self._fetches.do(lambda: self._cache.prune(now=time.time()))

    def carry_out(self, effect: Effect) -> None:
        match effect:
            case Prepare():
                self._prepare(effect)
            case Start():
                self._children.begin(effect, self._spool.operation(effect.assignment.id))
            case Upload():
                self._uploads.do(lambda: self._upload(effect))
            case AskToStop():
                self._tell_child(effect.operation, "ask_to_stop")
            case Kill():
                self._tell_child(effect.operation, "terminate")
            case Write():
                self._write(effect.operation, effect.outcome)
            case HandOver():
                self._hand_over(effect)
            case Forget():
                self._forget(effect.operation)

    def ended(self, child: Child, exit_code: int) -> Ended | None:
        """The event of a dead child: what it left in the spool decides. None when it had no job."""
        if child.operation is None:
            return None
        log.info("operation %s: process %s ended with %s", child.operation, child.pid, exit_code)
        return Ended(child.operation, exit_code, child.log_tail, self._spool.outcome(child.operation))

    def _prepare(self, effect: Prepare) -> None:
        number = effect.assignment.id
        folder = self._spool.begin(number)
        faults.point("worker.assigned")
        cancelled = self._preparing[number] = threading.Event()
        preparation = Preparation(self._client, self._cache, effect.assignment, folder, cancelled)

        def fetch() -> None:
            event = preparation.run(effect.candidates)
            if event is not None:
                self._post(event)

        self._fetches.do(fetch)

    def _upload(self, effect: Upload) -> None:
        self._post(upload(self._client, self._spool, effect.operation, effect.blob))

    def _tell_child(self, operation: int, what: str) -> None:
        child = self._children.of(operation)
        if child is not None:
            getattr(child, what)()

    def _write(self, operation: int, outcome: Outcome) -> None:
        self._cancel(operation)
        faults.point("worker.outcome.write")
        self._spool.write_outcome(operation, outcome)
        faults.point("worker.outcome.written")

    def _hand_over(self, effect: HandOver) -> None:
        child = self._children.of(effect.operation)
        if child is not None:
            child.kill()
            child.wait(timeout=5)
        if self._spool.outcome(effect.operation) is None:
            self._write(effect.operation, effect.outcome)

    def _forget(self, operation: int) -> None:
        self._cancel(operation)
        faults.point("worker.spool.forget")
        self._spool.forget(operation)
        faults.point("worker.spool.forgotten")

    def _cancel(self, operation: int) -> None:
        cancelled = self._preparing.pop(operation, None)
        if cancelled is not None:
            cancelled.set()
