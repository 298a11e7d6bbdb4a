"""A new database, all of it or none: made in a folder beside and renamed when it is complete."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

from ktrdr_site.localpg.errors import LocalPostgresError
from ktrdr_site.localpg.place import DATABASE, Place
from ktrdr_site.processes import dies_with_parent

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ktrdr_site.localpg.identity import Identity

_INITDB = ("--username", DATABASE, "--auth", "trust", "--encoding", "UTF8", "--locale", "C",
           "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--no-instructions")  # fmt: skip


def initialise(place: Place, identity: Identity, programs: Path, *, sync: bool) -> None:
    """Create the database unless it is there. The caller holds the lock.

    `sync` off leaves the writing to the operating system, for throw-away databases. Raises `LocalPostgresError` with
    the program's own words.
    """
    target = place.data.readlink() if place.data.is_symlink() else place.data
    if (target / "PG_VERSION").exists():
        return
    for remains in target.parent.glob(f"{target.name}.new-*"):
        shutil.rmtree(remains)
    fresh = target.with_name(f"{target.name}.new-{os.getpid()}")
    options = _INITDB if sync else (*_INITDB, "--no-sync")
    _run(identity, [str(programs / "initdb"), "-D", str(fresh), *options])
    single = [str(programs / "postgres"), "--single", "-D", str(fresh), "postgres"]
    _run(identity, single, given=f"CREATE DATABASE {DATABASE};\n")
    fresh.rename(target)


def _run(identity: Identity, command: Sequence[str], *, given: str = "") -> None:
    follow = dies_with_parent()

    def become() -> None:
        identity.enter()
        follow()

    # the lock's descriptor goes along: whatever outlives this process still holds it
    done = subprocess.run(
        command, input=given, capture_output=True, text=True, preexec_fn=become, close_fds=False, check=False
    )
    if done.returncode != 0:
        name = command[0].rpartition("/")[2]
        raise LocalPostgresError(f"{name} failed (exit code {done.returncode}): {done.stderr.strip()[-2000:]}")
