"""What must hold before anything is started."""

from __future__ import annotations

import shutil
import socket
import time
from typing import TYPE_CHECKING

import psycopg

from ktrdr_site.supervisor.errors import DatabaseUnreachable, NoRoom

if TYPE_CHECKING:
    from pathlib import Path

NEEDED_MIB = 256


def make_folders(data_dir: Path) -> None:
    """Raises `NoRoom` when the data folder cannot be written."""
    try:
        for folder in (data_dir / "run", data_dir / "logs"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as problem:
        raise NoRoom(f"The data folder {data_dir} cannot be written: {problem.strerror}. Set KTRDR_DATA_DIR.") from None


def check_disk(data_dir: Path, *, needed_mib: int = NEEDED_MIB) -> None:
    """Raises `NoRoom` when less than `needed_mib` MiB are free."""
    free = shutil.disk_usage(data_dir).free // 2**20
    if free < needed_mib:
        raise NoRoom(f"The disk of {data_dir} is full: {free} MiB free, {needed_mib} needed. Make room and try again.")


def check_port(host: str, port: int, *, patience: float = 2.0) -> None:
    """Raises `NoRoom` when nobody may listen there. `patience`: seconds for a killed predecessor to go."""
    deadline = time.monotonic() + patience
    while True:
        try:
            family, kind, protocol, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(where)
        except OSError as problem:
            if time.monotonic() > deadline:
                raise NoRoom(
                    f"Port {port} on {host} cannot be used ({problem.strerror}): stop what uses it, "
                    "or choose another with --port or KTRDR_PORT."
                ) from None
            time.sleep(0.1)
        else:
            return


def check_database(url: str) -> None:
    """Raises `DatabaseUnreachable` with the server's own words."""
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.Error as problem:
        words = str(problem).strip().splitlines()[0]
        raise DatabaseUnreachable(
            f"The database in DATABASE_URL does not answer: {words}. Start it, or unset DATABASE_URL to use the "
            "embedded one."
        ) from None
