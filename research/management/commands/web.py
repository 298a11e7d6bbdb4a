"""`manage.py web`: the web server, HTTP and WebSocket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import uvicorn
from django.conf import settings
from django.core.management.base import BaseCommand

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

    from ktrdr_site.environment import Environment

_KEPT = 75  # seconds a silent connection stays open: longer than the longest heartbeat, or calls would meet its end
_GRACE = 3  # seconds for requests under way; open sockets must not hold up a restart


class Command(BaseCommand):
    help = "Serve the dashboard, the REST interface and the workers' sync."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        env: Environment = settings.ENV
        parser.add_argument("--host", default=env.host)
        parser.add_argument("--port", type=int, default=env.port)

    def handle(self, *_args: Any, **options: Any) -> None:
        uvicorn.run(
            "ktrdr_site.asgi:application",
            host=options["host"],
            port=options["port"],
            log_config=None,  # Django's LOGGING
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_GRACE,
            timeout_keep_alive=_KEPT,
            http="httptools",
        )
