"""Calls of idle workers, held until there is work: each piece of it wakes one of them, and not all."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from research.live.relay import relay
from research.live.threads import in_thread
from research.services import sync

if TYPE_CHECKING:
    from collections.abc import Sequence

    from research.live.subscription import News


class Hold:
    """One worker's newest call in this process; a busy worker's has no `kinds`. `over`: a newer one came.

    It can be woken from the moment it came, so nothing is missed between a look at the queue and the wait.
    """

    def __init__(self, kinds: Sequence[str]) -> None:
        self.kinds = kinds
        self.over = False
        self._woken = asyncio.Event()

    @property
    def waits(self) -> bool:
        return not self._woken.is_set()

    def wake(self) -> None:
        self._woken.set()

    def end(self) -> None:
        self.over = True
        self._woken.set()

    def listen(self) -> None:
        """Forget what woke it: a look at the queue follows."""
        if not self.over:
            self._woken.clear()

    async def until(self, seconds: float) -> bool:
        """True when woken; False after so many seconds."""
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return False
        return True


class Holding:
    """The held calls of this process, oldest first."""

    def __init__(self) -> None:
        self._newest: dict[str, Hold] = {}

    def newest(self, worker: str, kinds: Sequence[str]) -> Hold:
        """A newer call of a worker ends its held one."""
        before = self._newest.pop(worker, None)
        if before is not None:
            before.end()
        hold = self._newest[worker] = Hold(kinds)
        return hold

    def forget(self, worker: str, hold: Hold) -> None:
        """The call is answered."""
        if self._newest.get(worker) is hold:
            del self._newest[worker]

    def wake(self, work: dict[str, int]) -> None:
        """As many calls as there is work of their kinds. Who finds it taken holds on; who dies leaves it to the next
        call of any idle worker, a heartbeat later at most."""
        left = dict(work)
        for hold in self._newest.values():
            kind = next((kind for kind in hold.kinds if left.get(kind)), None)
            if kind is not None and hold.waits:
                left[kind] -= 1
                hold.wake()

    async def run(self) -> None:
        """Serve for ever: one task of the web process listens for all its held calls."""
        async with relay.changes() as stream:
            while True:
                news = await stream.next()
                if news is not None and self._newest and _is_work(news):
                    self.wake(await in_thread(sync.kinds_that_wait))


def _is_work(news: News) -> bool:
    return news.resync or any(push.kind == "queue" for push in news.pushes)


holding = Holding()
