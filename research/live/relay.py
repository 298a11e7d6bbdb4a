"""One LISTEN connection per web process: hears what every commit pushed and tells whoever waits in this process."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import psycopg

from research.live.database import listening_connection
from research.live.subscription import News, Push, Subscription

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

PULSE_S = 2.0  # how often the connection is proven alive; a cut-off one would otherwise be silent for ever
ANSWER_S = 5.0  # a database that does not answer for so long counts as gone
FIRST_RETRY_S, LONGEST_RETRY_S = 0.2, 5.0
log = logging.getLogger("research.live")


class Relay:
    """Fans out pushes of the channel `ktrdr` inside one event loop. `run()` serves for ever; one task does it.

    `seq` is the newest event's number, `connected` whether the database can be heard now.
    """

    def __init__(self) -> None:
        self.connected = False
        self.seq = 0
        self._ahead = timedelta()  # of the database's clock before ours
        self._subscriptions: set[Subscription] = set()

    def now(self) -> datetime:
        """UTC by the database's clock, as compared at the last pulse."""
        return datetime.now(UTC) + self._ahead

    @asynccontextmanager
    async def changes(self) -> AsyncIterator[Subscription]:
        """Everything pushed from here on, nothing lost: subscribe first, then look at the database, then wait.

        async with relay.changes() as stream:
            ...look...
            news = await stream.next(timeout=1.0)  # None after the timeout
        """
        subscription = Subscription()
        self._subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)

    async def wait_for(self, predicate: Callable[[Push], bool], timeout: float) -> bool:  # noqa: ASYNC109
        """True as soon as a push that fits arrives, or when some may have been missed; False after `timeout` s."""
        async with self.changes() as stream:
            return await stream.until(predicate, timeout)

    async def run(self) -> None:
        """Listen for ever; a lost database is tried again with back-off, and everybody is told to look anew."""
        retry = FIRST_RETRY_S
        while True:
            try:
                async with listening_connection() as connection:
                    await self._probe(connection)
                    retry = FIRST_RETRY_S
                    self._came_back()
                    await self._listen(connection)
            except (psycopg.Error, OSError, TimeoutError) as problem:
                self._went_away(problem)
            await asyncio.sleep(retry)
            retry = min(retry * 2, LONGEST_RETRY_S)

    async def _listen(self, connection: psycopg.AsyncConnection) -> None:
        loop = asyncio.get_running_loop()
        probe_at = loop.time() + PULSE_S
        while True:
            left = max(probe_at - loop.time(), 0)
            heard = [note.payload async for note in connection.notifies(timeout=left, stop_after=1)]
            pushes = frozenset(_pushes(heard))
            pulse = loop.time() >= probe_at
            if pulse or any(push.kind == "event" for push in pushes):
                await self._probe(connection)
            if pulse:
                probe_at = loop.time() + PULSE_S
            if pushes or pulse:
                self._tell(News(pushes, self.seq, pulse=pulse))

    async def _probe(self, connection: psycopg.AsyncConnection) -> None:
        async with asyncio.timeout(ANSWER_S):
            cursor = await connection.execute(
                "SELECT clock_timestamp(), coalesce((SELECT last FROM research_eventcounter WHERE id = 1), 0)"
            )
            async for now, last in cursor:
                self._ahead, self.seq = now - datetime.now(UTC), last

    def _came_back(self) -> None:
        self.connected = True
        log.info("relay.listening from event %s", self.seq)
        self._tell(News(frozenset(), self.seq, resync=True))

    def _went_away(self, problem: BaseException) -> None:
        if self.connected:
            log.warning("relay.lost the database cannot be heard: %s", " ".join(str(problem).split()))
        self.connected = False
        self._tell(News(frozenset(), self.seq, connected=False))

    def _tell(self, news: News) -> None:
        for subscription in self._subscriptions:
            subscription.offer(news)


def _pushes(payloads: Iterable[str]) -> Iterable[Push]:
    for payload in payloads:
        try:
            said = json.loads(payload)
            yield Push(str(said["kind"]), int(said["id"]))
        except (ValueError, TypeError, KeyError):
            log.warning("relay.strange payload on the channel: %.200r", payload)


relay = Relay()
"""The web process's own. It is started by `research.live.lifespan`."""
