"""ASGI: bodies that are too large are refused before they are read; what is read is counted."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from django.conf import settings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Receive = Callable[[], Awaitable[Any]]
    Send = Callable[[Any], Awaitable[None]]
    App = Callable[[Any, Receive, Send], Awaitable[None]]

OTHER_MOST = 16 << 20  # bytes: of any body that is no upload; a sync with all its measures is below 8 MiB
_UPLOAD = re.compile(r"^/api/v1/operations/\d+/(checkpoints|artifacts)/")


class BodyLimit:
    """Wraps the ASGI application. Uploads need a Content-Length and a token; all bodies have a limit."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        upload = scope["method"] == "PUT" and _UPLOAD.match(scope["path"]) is not None
        most = settings.ENV.max_blob_mb << 20 if upload else OTHER_MOST
        headers = {name.lower(): value for name, value in scope["headers"]}
        refusal = _refusal(headers, most=most, upload=upload)
        if refusal is None:
            return await self.app(scope, _counted(receive, most), send)
        return await _answer(send, *refusal)


def _refusal(headers: dict[bytes, bytes], *, most: int, upload: bool) -> tuple[int, str, str] | None:
    length = headers.get(b"content-length", b"")
    if upload and not length.isdigit():
        return 411, "length_required", "An upload must say its Content-Length."
    if length.isdigit() and int(length) > most:
        text = f"{int(length)} bytes are announced, at most {most} are taken"
        return 413, "too_large", f"{text} (KTRDR_MAX_BLOB_MB)." if upload else f"{text}."
    if upload and not headers.get(b"authorization", b"").lower().startswith(b"bearer "):
        return 401, "unauthorised", "An upload needs a worker's bearer token."
    return None


def _counted(receive: Receive, most: int) -> Receive:
    """A body without a Content-Length may not grow beyond the limit either: it is then cut off."""
    received = 0

    async def counting() -> Any:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        return message if received <= most else {"type": "http.disconnect"}

    return counting


async def _answer(send: Send, status: int, code: str, message: str) -> None:
    body = json.dumps({"code": code, "message": message}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
