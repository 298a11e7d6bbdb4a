"""The ASGI application: HTTP through Django, WebSocket through Channels, and what runs beside them."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ktrdr_site.settings")
http = get_asgi_application()

# Only with Django set up: these import models.
from channels.routing import ProtocolTypeRouter  # noqa: E402
from django.db import connections  # noqa: E402

from research.api.door import SyncDoor  # noqa: E402
from research.api.limits import BodyLimit  # noqa: E402
from research.live.lifespan import WithBackground  # noqa: E402
from research.live.routing import websockets  # noqa: E402

# Under ASGI every request has a thread of its own: a connection kept for the next one would only pile up.
connections["default"].settings_dict["CONN_MAX_AGE"] = 0

application = WithBackground(ProtocolTypeRouter({"http": BodyLimit(SyncDoor(http)), "websocket": websockets}))
