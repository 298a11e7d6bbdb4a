"""Where the embedded PostgreSQL of a data folder keeps its files, the same for every process that asks."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ktrdr_site.localpg.errors import LocalPostgresError

DATABASE = "ktrdr"
PORT = 5432
_SOCKET_NAME = f"/.s.PGSQL.{PORT}.lock"
_LONGEST_SOCKET = 100  # the kernel's limit is 107 bytes
_NOT_IN_A_HOST = {",", "@"}  # libpq reads these as a list of hosts and as an abstract socket


@dataclass(frozen=True, slots=True)
class Place:
    """Paths of one server. Nothing is created by asking."""

    data_dir: Path

    @property
    def data(self) -> Path:
        """PostgreSQL's own folder; a link into `/var/lib/ktrdr` where the server runs as another account."""
        return self.data_dir / "postgres"

    @property
    def lock(self) -> Path:
        return self.data_dir / "postgres.lock"

    @property
    def log(self) -> Path:
        return self.data_dir / "logs" / "postgres.log"

    @property
    def key(self) -> str:
        """Short name of this data folder: the same for all processes of this user."""
        return hashlib.sha256(os.fsencode(self.data_dir.resolve())).hexdigest()[:16]

    @property
    def socket_dir(self) -> Path:
        """Folder of the Unix socket: in the data folder if the path is short enough for a socket, else a short one."""
        if self.data.is_symlink():
            return self.data.readlink().parent / "run"
        inside = self.data_dir / "run" / "postgres"
        if len(os.fsencode(inside)) + len(_SOCKET_NAME) < _LONGEST_SOCKET and not _NOT_IN_A_HOST & set(str(inside)):
            return inside
        return Path(f"/tmp/ktrdr-{os.geteuid()}-{self.key}")  # noqa: S108 -- must be short; checked to be private

    def make_folders(self) -> None:
        """Create what is missing, for this user alone.

        Raises `LocalPostgresError` when somebody else could read or replace the socket.
        """
        self.data_dir.mkdir(parents=True, exist_ok=True)
        for folder in (self.data_dir / "run", self.log.parent):
            folder.mkdir(mode=0o700, exist_ok=True)
        if not self.data.is_symlink():
            self.socket_dir.mkdir(mode=0o700, exist_ok=True)
            found = self.socket_dir.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
                raise LocalPostgresError(
                    f"{self.socket_dir} is not a private folder of this user: remove it, try again."
                )


def address(data_dir: Path) -> dict[str, Any]:
    """Django's `DATABASES` entry for the embedded server of `data_dir`, running or not."""
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": DATABASE,
        "USER": DATABASE,
        "PASSWORD": "",
        "HOST": str(Place(data_dir).socket_dir),
        "PORT": PORT,
    }
