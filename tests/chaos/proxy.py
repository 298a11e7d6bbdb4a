"""A TCP proxy between a worker and the web server that cuts, stalls and delays. It alters and doubles nothing.

A trap does so from the very bytes that hold a given text, so that one certain message is lost or late.
"""

from __future__ import annotations

import asyncio
import math
import threading
from typing import Final

MODES: Final = ("cut", "stall", "delay")
CHUNK = 1 << 15
DELAY_S = 0.15


class Proxy:
    """Listens on `port` (a free one) of this host from `start()` to `stop()`; forwards to `target`."""

    def __init__(self, target: int) -> None:
        self.target, self.port = target, 0
        self._mode, self._turn = "open", 0
        self._trap: tuple[bytes, str, threading.Event] | None = None
        self._loop = asyncio.new_event_loop()
        self._open: set[asyncio.StreamWriter] = set()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="proxy", daemon=True)

    def start(self) -> None:
        self._thread.start()
        self._ready.wait(10)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def disturb(self, mode: str, seconds: float = math.inf) -> None:
        """One of `MODES` from now on, for so long. A cut resets what is open, and refuses what comes."""
        self._loop.call_soon_threadsafe(self._disturb, mode, seconds)

    def trap(self, text: bytes, mode: str) -> threading.Event:
        """When `text` next passes, either way, `mode` begins with it, until `calm()`; the event is set then."""
        sprung = threading.Event()
        self._loop.call_soon_threadsafe(setattr, self, "_trap", (text, mode, sprung))
        return sprung

    def calm(self) -> None:
        self._loop.call_soon_threadsafe(self._disturb, "open", 0.0)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._accept, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        self._abort()
        server.close()
        self._loop.run_until_complete(self._finish())
        self._loop.close()

    async def _finish(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _disturb(self, mode: str, seconds: float) -> None:
        self._mode, self._turn = mode, self._turn + 1
        if mode == "cut":
            self._abort()
        if mode != "open" and seconds != math.inf:
            self._loop.call_later(seconds, self._end, self._turn)

    def _end(self, turn: int) -> None:
        if turn == self._turn:
            self._mode = "open"

    def _spring(self, data: bytes) -> None:
        if self._trap is not None and self._trap[0] in data:
            _, mode, sprung = self._trap
            self._trap = None
            self._disturb(mode, math.inf)
            sprung.set()

    def _abort(self) -> None:
        for writer in self._open:
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._mode == "cut":
            writer.transport.abort()
            return
        try:
            away, onward = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        self._open |= {writer, onward}
        try:
            await asyncio.gather(self._pump(reader, onward), self._pump(away, writer))
        except asyncio.CancelledError:  # only `stop()` does that; asyncio 3.11 would print it
            return
        finally:
            self._open -= {writer, onward}
            for one in (writer, onward):
                one.transport.abort()

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(CHUNK):
                self._spring(data)
                if self._mode == "cut":
                    return
                while self._mode == "stall":  # noqa: ASYNC110  # the mode also ends by itself, without an event
                    await asyncio.sleep(0.02)
                if self._mode == "delay":
                    await asyncio.sleep(DELAY_S)
                sink.write(data)
                await sink.drain()
            if sink.can_write_eof():
                sink.write_eof()
        except OSError:
            sink.transport.abort()  # a reset on one side is one on the other
