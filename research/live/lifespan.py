"""What runs beside the requests in a web process, from its start to its end."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from research.api.holding import holding
from research.live import covering
from research.live.relay import relay

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    Message = MutableMapping[str, Any]
    Application = Callable[[Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Any]

TASKS: list[tuple[str, Callable[[], Awaitable[None]]]] = [
    ("relay", relay.run), ("cover", covering.run), ("held calls", holding.run),
]  # fmt: skip
"""Name and what to await. Each should serve for ever; one that raises is logged and started again after a second."""

AGAIN_S = 1.0
log = logging.getLogger("research.live")


async def _for_ever(name: str, serve: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await serve()
        except Exception:
            log.exception("background.failed %s ended with an error and is started again", name)
        await asyncio.sleep(AGAIN_S)


class Background:
    """The tasks of one event loop."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Start every task, once."""
        if not self._tasks:
            self._tasks = [asyncio.create_task(_for_ever(name, serve), name=name) for name, serve in TASKS]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []


class WithBackground:
    """ASGI: answers the server's lifespan and runs `TASKS` meanwhile, or from the first request on without one."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._background = Background()

    async def __call__(
        self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        self._background.start()
        await self._application(scope, receive, send)

    async def _live(
        self, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._background.start()
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await self._background.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return
