"""How the embedded server is configured. All on its command line, so a new version's settings hold at once."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from ktrdr_site.localpg.place import PORT

if TYPE_CHECKING:
    from pathlib import Path

    from ktrdr_site.localpg.place import Place

_SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "client_connection_check_interval": "1s",  # a dead client's long query ends, and with it its session locks
    "log_line_prefix": "%m [%p] ",
    "log_timezone": "UTC",
    "timezone": "UTC",
}


def command_line(place: Place, programs: Path, extra: str = "") -> list[str]:
    """The server's arguments. `extra`: further settings as `name=value name=value`, quoted as in a shell."""
    folder = str(place.socket_dir).replace('"', '""')
    settings = _SETTINGS | {"unix_socket_directories": f'"{folder}"'} | _pairs(extra)
    arguments = [str(programs / "postgres"), "-D", str(place.data.resolve())]
    for name, value in settings.items():
        arguments += ["-c", f"{name}={value}"]
    return arguments


def wants_sync(extra: str) -> bool:
    return _pairs(extra).get("fsync", "on") != "off"


def _pairs(extra: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in shlex.split(extra) if "=" in part)
