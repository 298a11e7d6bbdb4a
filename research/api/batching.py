"""Work that comes in one by one and is done many at a time: what comes while a batch is done makes the next one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from research.live.threads import in_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Item = TypeVar("Item")
Result = TypeVar("Result")


class Batches(Generic[Item, Result]):
    """`work` takes a list and returns a result for each, in a thread with the ORM; one batch is under way at a time."""

    def __init__(self, work: Callable[[Sequence[Item]], Sequence[Result]], *, most: int = 100) -> None:
        self._work, self._most = work, most
        self._waiting: list[tuple[Item, asyncio.Future[Result]]] = []
        self._task: asyncio.Task[None] | None = None

    async def result(self, item: Item) -> Result:
        """What became of it. Raises what `work` raised for its batch."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        return await future

    async def _run(self) -> None:
        while self._waiting:
            batch = self._waiting[-self._most :]
            del self._waiting[-self._most :]
            try:
                results = await in_thread(self._work, [item for item, _ in batch])
            except Exception as error:  # noqa: BLE001 - each of those who wait gets it
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)
                continue
            for (_, future), result in zip(batch, results, strict=True):
                if not future.done():
                    future.set_result(result)


class Lanes:
    """A few queues for work that is done one at a time in each: more threads at once would only hinder one another, and
    leave none for what cannot wait.

    The newest goes first: when more comes than can be done, whoever waited longest has given up and asked again.
    """

    def __init__(self, count: int) -> None:
        self._lanes: list[Batches[Callable[[], Any], Any]] = [Batches(_each, most=1) for _ in range(count)]

    async def result(self, key: str, work: Callable[[], Result]) -> Result:
        """What came of the work. Raises what it raised."""
        lane = self._lanes[hash(key) % len(self._lanes)]
        done: Result = await lane.result(work)
        return done


def _each(work: Sequence[Callable[[], Any]]) -> list[Any]:
    return [one() for one in work]
