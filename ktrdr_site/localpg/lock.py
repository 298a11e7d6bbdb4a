"""The lock beside the data folder: held by every process of the server, so it is free only when all are gone."""

from __future__ import annotations

import fcntl
import os
import time
from typing import TYPE_CHECKING

from ktrdr_site.localpg.connection import answers
from ktrdr_site.localpg.errors import AlreadyRunning, LocalPostgresError

if TYPE_CHECKING:
    from ktrdr_site.localpg.place import Place


def take(place: Place, *, patience: float = 30.0) -> int:
    """Take the lock and return its descriptor, which children inherit.

    Waits while a killed server's last processes end (`patience` seconds). Raises `AlreadyRunning` when a live
    server holds it.
    """
    descriptor = os.open(place.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + patience
    while not _try(descriptor):
        if answers(place):
            os.close(descriptor)
            raise AlreadyRunning(f"PostgreSQL already runs in {place.data_dir}.")
        if time.monotonic() > deadline:
            os.close(descriptor)
            raise LocalPostgresError(
                f"Processes of an earlier PostgreSQL in {place.data_dir} hold {place.lock.name} and do not answer: "
                "see `manage.py localpg status`, end them and try again."
            )
        time.sleep(0.05)
    os.set_inheritable(descriptor, True)
    return descriptor


def held(place: Place) -> bool:
    """Whether any process of the server lives."""
    try:
        descriptor = os.open(place.lock, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        return not _try(descriptor, shared=True)
    finally:
        os.close(descriptor)


def _try(descriptor: int, *, shared: bool = False) -> bool:
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
