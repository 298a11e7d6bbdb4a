"""The live connection of one open page."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.db import Error as DatabaseError

from research.live import frames
from research.live.relay import relay
from research.live.visitor import logged_in, own_origin

ASK_AGAIN_S = 15.0  # how often a held connection's session is asked for anew: a logout ends it
NOT_WELCOME = 4403
TRY_LATER = 4503


class LiveConsumer(AsyncJsonWebsocketConsumer):  # type: ignore[misc]
    """`/live?seq=N`: N is the last event the page has seen. Frames: see `research.live.frames`. Takes nothing."""

    _pump: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        if not own_origin(dict(self.scope["headers"])) or not await logged_in(self._session_key()):
            await self.close(NOT_WELCOME)  # before accept: the handshake is answered with 403
            return
        await self.accept()
        self._pump = asyncio.create_task(self._serve())

    async def disconnect(self, _code: int) -> None:
        if self._pump is not None:
            self._pump.cancel()
            with suppress(asyncio.CancelledError):
                await self._pump

    async def receive(self, *_args: Any, **_more: Any) -> None:
        """The browser has nothing to say here."""

    async def _serve(self) -> None:
        code = TRY_LATER
        with suppress(DatabaseError):
            await self._tell()
            code = NOT_WELCOME
        await self.close(code)

    async def _tell(self) -> None:
        """Ends when the session has ended."""
        loop = asyncio.get_running_loop()
        async with relay.changes() as stream:
            await self.send_json(await self._hello())
            ask_at = loop.time() + ASK_AGAIN_S
            while True:
                news = await stream.next(ASK_AGAIN_S)
                if loop.time() >= ask_at and relay.connected:
                    if not await logged_in(self._session_key()):
                        return
                    ask_at = loop.time() + ASK_AGAIN_S
                if news is not None:
                    await self.send_json(frames.of(news, relay.now()))

    async def _hello(self) -> dict[str, Any]:
        seen = parse_qs(self.scope["query_string"].decode("latin1")).get("seq", ["0"])[0]
        upto = relay.seq
        missed, more = await database_sync_to_async(frames.missed_since)(int(seen) if seen.isdecimal() else 0, upto)
        return frames.hello(seq=upto, now=relay.now(), live=relay.connected, missed=missed, more=more)

    def _session_key(self) -> str | None:
        key: str | None = self.scope["session"].session_key
        return key
