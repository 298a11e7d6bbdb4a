"""Who may hold a live connection: a page of ours, in the browser of somebody who is logged in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest
from django.http.request import split_domain_port, validate_host

if TYPE_CHECKING:
    from collections.abc import Mapping


def own_origin(headers: Mapping[bytes, bytes]) -> bool:
    """The page that connects came from the very host and port it connects to, and that is a host we answer to."""
    origin = urlsplit(headers.get(b"origin", b"").decode("latin1"))
    host = headers.get(b"host", b"").decode("latin1").lower()
    name, _port = split_domain_port(host)
    if origin.scheme not in {"http", "https"} or not name or not validate_host(name, settings.ALLOWED_HOSTS):
        return False
    return origin.netloc.lower() == host or f"{origin.scheme}://{origin.netloc}" in settings.CSRF_TRUSTED_ORIGINS


def _logged_in(session_key: str | None) -> bool:
    request: Any = HttpRequest()
    request.session = SessionStore(session_key)
    user = get_user(request)  # looks at the password's hash too: a changed password ends every session
    return bool(user.is_authenticated and user.is_active)


async def logged_in(session_key: str | None) -> bool:
    """Whether the session still belongs to an active user, asked of the database anew."""
    return bool(session_key) and bool(await database_sync_to_async(_logged_in)(session_key))
