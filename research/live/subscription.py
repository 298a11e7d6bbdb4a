"""What one listener has not taken yet. Coalesced, so that a slow one loses nothing and costs no memory."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_PUSHES = 500  # beyond that "look at everything" is cheaper than the list


class Push(NamedTuple):
    """A row that changed: `kind` as given to `Change.touch`, such as research, operation, queue, worker, event."""

    kind: str
    id: int


@dataclass(frozen=True, slots=True)
class News:
    """`resync`: some may have been missed, look at everything. `connected` False: nothing is heard for now.

    `pulse`: the database answered just now. `seq`: number of the newest event.
    """

    pushes: frozenset[Push]
    seq: int
    resync: bool = False
    connected: bool = True
    pulse: bool = False

    def joined(self, later: News) -> News:
        pushes = self.pushes | later.pushes
        resync = self.resync or later.resync or len(pushes) > MOST_PUSHES
        return News(
            frozenset() if resync else pushes, later.seq, resync, later.connected, self.pulse or later.pulse
        )  # fmt: skip


class Subscription:
    """One listener's mailbox, in one event loop."""

    def __init__(self) -> None:
        self._waiting: News | None = None
        self._wake = asyncio.Event()

    def offer(self, news: News) -> None:
        self._waiting = news if self._waiting is None else self._waiting.joined(news)
        self._wake.set()

    async def next(self, timeout: float | None = None) -> News | None:  # noqa: ASYNC109
        """What came since the last call, at once if there is any; None when nothing comes within `timeout` s."""
        try:
            async with asyncio.timeout(timeout):
                await self._wake.wait()
        except TimeoutError:
            return None
        self._wake.clear()
        news, self._waiting = self._waiting, None
        return news

    async def until(self, predicate: Callable[[Push], bool], timeout: float) -> bool:  # noqa: ASYNC109
        """True as soon as a push that fits arrives, or a resync; False after `timeout` s."""
        loop = asyncio.get_running_loop()
        end = loop.time() + timeout
        while (left := end - loop.time()) > 0:
            news = await self.next(left)
            if news is not None and (news.resync or any(predicate(push) for push in news.pushes)):
                return True
        return False
