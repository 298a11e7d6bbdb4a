"""WebSocket addresses."""

from __future__ import annotations

from channels.routing import URLRouter
from channels.security.websocket import WebsocketDenier
from channels.sessions import SessionMiddlewareStack
from django.urls import path, re_path

from research.live.consumers import LiveConsumer

websockets = SessionMiddlewareStack(
    URLRouter([path("live", LiveConsumer.as_asgi()), re_path(r"", WebsocketDenier.as_asgi())])
)
