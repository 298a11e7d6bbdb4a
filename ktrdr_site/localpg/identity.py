"""Who PostgreSQL runs as: it refuses root, and root's folders refuse everybody else.

Root therefore runs it in a user namespace in which root's files belong to an ordinary id. Where the kernel refuses
that, it runs as an unprivileged account, with its programs and data under `/var/lib/ktrdr`.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ktrdr_site.localpg import binaries
from ktrdr_site.localpg.errors import LocalPostgresError

if TYPE_CHECKING:
    from ktrdr_site.localpg.place import Place

_CLONE_NEWUSER = 0x10000000
_ACCOUNTS = ("ktrdr", "postgres", "nobody")
SHARED = Path("/var/lib/ktrdr")
_libc = ctypes.CDLL(None, use_errno=True)


class Identity(Protocol):
    """One way to run PostgreSQL."""

    def prepare(self, place: Place) -> Path:
        """Make what this way needs; returns the folder of the programs."""

    def enter(self) -> None:
        """Become it: in a child before `exec`, or in the process that will be the server."""


@dataclass(frozen=True, slots=True)
class Oneself:
    """An ordinary user runs it as that user."""

    def prepare(self, place: Place) -> Path:
        _must_own(place)
        return binaries.folder()

    def enter(self) -> None:
        pass


@dataclass(frozen=True, slots=True)
class Namespace:
    """Root in a user namespace of its own: still the owner of root's files, but root no longer."""

    def prepare(self, place: Place) -> Path:
        _must_own(place)
        return binaries.folder()

    def enter(self) -> None:
        user, group = os.geteuid(), os.getegid()
        ordinary = next((entry.pw_uid for entry in pwd.getpwall() if entry.pw_uid), 1000)  # initdb looks up its name
        if _libc.unshare(_CLONE_NEWUSER) != 0:
            raise OSError(ctypes.get_errno(), "the kernel refuses user namespaces")
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{ordinary} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{ordinary} {group} 1")


@dataclass(frozen=True, slots=True)
class Account:
    """Root steps down to an unprivileged account."""

    entry: pwd.struct_passwd

    def prepare(self, place: Place) -> Path:
        home = SHARED / place.key
        if place.data.exists() and not place.data.is_symlink():
            raise LocalPostgresError(
                f"{place.data} was made by root in a user namespace, which this kernel now refuses. Allow user "
                f"namespaces, or move it to {home / 'postgres'}, owned by {self.entry.pw_name}, and link it from there."
            )
        programs = binaries.copy_for_others(_folder(SHARED, mode=0o755))
        for folder in (_folder(home), _folder(home / "run")):
            os.chown(folder, self.entry.pw_uid, self.entry.pw_gid)
        if not place.data.is_symlink():
            place.data.symlink_to(home / "postgres")
        return programs

    def enter(self) -> None:
        os.setgroups([])
        os.setgid(self.entry.pw_gid)
        os.setuid(self.entry.pw_uid)
        os.chdir("/")


def choose(place: Place, account: str = "") -> Identity:
    """The way that works here; `account` asks for that one when this is root.

    Raises `LocalPostgresError` when no account can be used.
    """
    if os.geteuid() != 0:
        return Oneself()
    if place.data.is_symlink() and not account:
        home = place.data.readlink().parent
        if home.exists():
            return Account(pwd.getpwuid(home.stat().st_uid))
    if not account and _namespaces_work():
        return Namespace()
    return Account(_account((account,) if account else _ACCOUNTS))


def _must_own(place: Place) -> None:
    if place.data.exists() and place.data.stat().st_uid != os.geteuid():
        owner = place.data.stat().st_uid
        raise LocalPostgresError(f"{place.data} belongs to user id {owner}: start KTRDR as that user.")


def _folder(path: Path, *, mode: int = 0o700) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(mode)
    return path


def _namespaces_work() -> bool:
    try:
        subprocess.run(["true"], preexec_fn=Namespace().enter, check=True, capture_output=True)
    except (OSError, subprocess.SubprocessError):
        return False
    return True


def _account(names: tuple[str, ...]) -> pwd.struct_passwd:
    for name in names:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return entry
    raise LocalPostgresError(
        f"PostgreSQL must not run as root, and there is no account {' or '.join(names)} to run it as: "
        "create one with `useradd --system ktrdr`, or set DATABASE_URL."
    )
