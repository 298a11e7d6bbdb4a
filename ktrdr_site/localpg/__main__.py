"""`python -m ktrdr_site.localpg [--log]`: becomes the PostgreSQL server of `KTRDR_DATA_DIR`, in the foreground.

The process that was started is the postmaster afterwards: no wrapper, no pid file to read. Django is not loaded.
With `--log` the server writes to its own log file, and standard error closes at the moment it takes over.
"""

from __future__ import annotations

import os
import signal
import sys

from ktrdr_site import environment
from ktrdr_site.localpg import lock
from ktrdr_site.localpg.errors import LocalPostgresError
from ktrdr_site.localpg.identity import choose
from ktrdr_site.localpg.initialise import initialise
from ktrdr_site.localpg.options import command_line, wants_sync
from ktrdr_site.localpg.place import Place
from ktrdr_site.processes import set_parent_death_signal


def exec_foreground(settings: environment.Environment, *, log: bool) -> None:
    """Prepare all and become the server; comes back only by an exception.

    Raises `LocalPostgresError`, or `OSError` when the disk is full or a folder cannot be written.
    """
    parent = os.getppid()
    place = Place(settings.data_dir)
    place.data_dir.mkdir(parents=True, exist_ok=True)
    descriptor = lock.take(place)
    identity = choose(place, settings.postgres_account)
    programs = identity.prepare(place)
    place.make_folders()
    initialise(place, identity, programs, sync=wants_sync(settings.postgres_options))
    _forget_the_dead(place)
    # All paths now: as another user they could look different.
    command = command_line(place, programs, settings.postgres_options)
    output = os.open(place.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600) if log else None
    identity.enter()
    set_parent_death_signal(signal.SIGINT)  # fast shutdown
    if os.getppid() != parent:
        raise LocalPostgresError("The process that started PostgreSQL ended meanwhile.")
    if output is not None:
        os.dup2(output, 1)
        os.dup2(output, 2)
    os.set_inheritable(descriptor, True)
    os.execv(command[0], command)


def _forget_the_dead(place: Place) -> None:
    """Remove the pid files of a server that was killed.

    We hold the lock, so no process of it lives, and the files say nothing, whoever has that pid now.
    """
    (place.data / "postmaster.pid").unlink(missing_ok=True)
    for remains in place.socket_dir.glob(".s.PGSQL.*"):
        remains.unlink()


def main() -> int:
    try:
        exec_foreground(environment.read(), log="--log" in sys.argv[1:])
    except (LocalPostgresError, environment.BadSetting) as problem:
        sys.stderr.write(f"{problem}\n")
        return int(getattr(problem, "exit_code", 5))
    except OSError as problem:
        sys.stderr.write(f"PostgreSQL cannot be started: {problem}\n")
        return 5
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
