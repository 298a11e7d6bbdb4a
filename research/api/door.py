"""ASGI: sync is answered before Django. A thousand workers' heartbeats need no session, no page and no middleware."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.http.request import split_domain_port, validate_host

from research.api.sync import respond

if TYPE_CHECKING:
    from research.api.limits import App, Receive, Send

PATH = "/api/v1/workers/sync"


class SyncDoor:
    """Wraps the ASGI application. What it does not answer itself, odd hosts among it, goes on to Django."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != PATH or scope["method"] != "POST":
            return await self.app(scope, receive, send)
        headers = dict(scope["headers"])
        host = headers.get(b"host", b"").decode("latin1")
        if not _allowed(host):
            return await self.app(scope, receive, send)
        body = await _body(receive)
        if body is None:
            return None
        status, answer = await respond(body, headers.get(b"authorization", b"").decode("latin1"), host)
        said = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": status, "headers": said})
        await send({"type": "http.response.body", "body": answer})
        return None


@lru_cache(maxsize=100)
def _allowed(host: str) -> bool:
    domain, _ = split_domain_port(host)
    return bool(domain) and validate_host(domain, settings.ALLOWED_HOSTS)


async def _body(receive: Receive) -> bytes | None:
    """None when the caller went away."""
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)
