"""The main loop: one queue, one thread that decides. Nothing here waits for a network, a disk cache or a child."""

from __future__ import annotations

import logging
import random
import signal
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from workers.agent import hands, messages
from workers.agent.children import Child, Children
from workers.agent.connection import Connection
from workers.agent.messages import clock
from workers.agent.pace import Pace
from workers.agent.shell import Shell
from workers.agent.state import State
from workers.durable import EXIT_DISK, is_disk_trouble

if TYPE_CHECKING:
    from workers.agent.settings import Settings
    from workers.client import Client
    from workers.spool import Spool

log = logging.getLogger("ktrdr.worker")

TICK = 0.05  # how often times of the state are looked at while something is going on


@dataclass(frozen=True, slots=True)
class Buried:
    """A child is dead and reaped."""

    child: Child
    exit_code: int


@dataclass(frozen=True, slots=True)
class Broken:
    """A thread met an exception nobody expected."""

    error: BaseException


class Agent:
    """One worker name on this host. `run` returns the exit code."""

    def __init__(self, settings: Settings, client: Client, spool: Spool) -> None:
        self._queue: SimpleQueue[messages.Event | Buried | Broken] = SimpleQueue()
        post = self._queue.put
        self._spool = spool
        self._pace = Pace()
        self._state = State(settings.name, settings.drain_s)
        self._children = Children(settings.kinds, post, lambda child, code: post(Buried(child, code)))
        broken = lambda error: post(Broken(error))  # noqa: E731
        self._connection = Connection(settings, client, hands.Hands("sync", 3, broken), post)
        self._shell = Shell(settings, client, spool, self._children, post, broken)
        self._leaving: messages.Leave | None = None
        self._interrupted = False

    def run(self) -> int:
        """Serve until drained, replaced, refused or out of disk."""
        now = clock()
        self._state.restore(self._spool.restore(), now)
        for number in self._state.operations:
            log.info("operation %s: found finished in the spool", number)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        try:
            leaving = self._serve()
        finally:
            self._children.kill_all()
        log.log(logging.ERROR if leaving.code else logging.INFO, "leaving: %s", leaving.message)
        return leaving.code

    def _serve(self) -> messages.Leave:
        try:
            while self._leaving is None:
                self._turn()
        except OSError as error:
            if not is_disk_trouble(error):
                raise
            where = error.filename or self._spool.folder
            return messages.Leave(EXIT_DISK, f"{where} cannot be written: {error.strerror}; make room")
        return self._leaving

    def _turn(self) -> None:
        now = clock()
        self._carry_out(self._state.uploads(now))
        self._carry_out(self._state.leave(now))
        if self._leaving is None and now >= self._pace.due():
            self._call(now)
        for event in self._events(self._patience(clock())):
            self._take(event, clock())
        if self._state.session is not None and self._leaving is None and not self._state.draining:
            self._children.keep_warm(clock())

    def _patience(self, now: float) -> float:
        """How long to wait for an event: an agent with nothing to do sleeps until its next call."""
        busy = bool(self._state.operations) or self._state.draining
        return max(0.0, min(self._pace.due() - now, TICK if busy else 1.0))

    def _events(self, patience: float) -> list[messages.Event | Buried | Broken]:
        """All events that wait, so that a burst of notices is one turn."""
        found = []
        try:
            found.append(self._queue.get(timeout=patience) if patience > 0 else self._queue.get_nowait())
            while len(found) < 1000:
                found.append(self._queue.get_nowait())
        except Empty:
            pass
        return found

    def _take(self, event: messages.Event | Buried | Broken, now: float) -> None:
        if isinstance(event, Broken):
            raise event.error
        if isinstance(event, Buried):
            self._children.buried(event.child, now)
            ended = self._shell.ended(event.child, event.exit_code)
            if ended is None:
                return
            event = ended
        if isinstance(event, messages.Answered):
            self._pace.answered(event.seq)
        elif isinstance(event, messages.Unanswered):
            self._pace.failed(event.seq, now, random.random())  # noqa: S311  # jitter
        self._carry_out(self._state.handle(event, now))
        self._pace.heartbeat = self._state.heartbeat

    def _call(self, now: float) -> None:
        request = self._state.request(self._connection.next_seq, now, self._connection.identity)
        self._pace.started(request.seq, now, request.wait)
        self._connection.send(request)

    def _carry_out(self, effects: list[messages.Effect]) -> None:
        for effect in effects:
            if isinstance(effect, messages.SyncNow):
                self._pace.something_happened()
            elif isinstance(effect, messages.Leave):
                self._leaving = effect
            else:
                self._shell.carry_out(effect)

    def _on_signal(self, number: int, _frame: object) -> None:
        """Ask for a drain; a second Ctrl-C leaves at once (the kernel kills the children). A repeated SIGTERM says
        nothing new: systemd sends it to this process and to the supervisor, which passes its own on."""
        if number == signal.SIGINT and self._interrupted:
            hands.leave_now(128 + number)
        self._interrupted |= number == signal.SIGINT
        # SimpleQueue.put may interrupt itself: that is what it is made for.
        self._queue.put(messages.DrainAsked(signal.Signals(number).name))
