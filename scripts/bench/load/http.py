"""As little of HTTP/1.1 as one kept connection needs: the load generator shares the machine with what it measures."""

from __future__ import annotations

import asyncio
import json
from typing import Any


class Connection:
    """One connection to the backend, opened again when it is gone."""

    def __init__(self, port: int, token: str) -> None:
        self._port = port
        self._head = (
            f"POST /api/v1/workers/sync HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n"
            "Content-Type: application/json\r\nContent-Length: "
        ).encode()
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def post(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Status and answer. Raises OSError or EOFError when the connection breaks."""
        if self._writer is None or self._reader is None:
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        payload = json.dumps(body, separators=(",", ":")).encode()
        self._writer.write(b"%b%d\r\n\r\n%b" % (self._head, len(payload), payload))
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        answer = await self._reader.readexactly(int(length.split(b":")[1]))
        return int(head[9:12]), json.loads(answer)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None
