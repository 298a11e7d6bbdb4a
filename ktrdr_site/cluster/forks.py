"""What every process of the tree does first: die with its parent, carry a name, leave stop signals to the main."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ktrdr_site.processes import set_parent_death_signal
from ktrdr_site.supervisor.wakeup import STOP_SIGNALS

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Birth:
    """What a parent leaves for the child it is about to fork."""

    parent = 0
    role = "cluster"


def arrange() -> None:
    """From now on every fork of this process and of its descendants gets SIGKILL when its parent ends.

    Fork only from main threads: the signal comes when the forking thread ends.
    """
    os.register_at_fork(before=_remember_parent, after_in_child=_be_born)


def _remember_parent() -> None:
    _Birth.parent = os.getpid()


def _be_born() -> None:
    set_parent_death_signal(signal.SIGKILL)
    if os.getppid() != _Birth.parent:  # it died before the signal was set
        os.kill(os.getpid(), signal.SIGKILL)
    name_this_process(_Birth.role)


@contextmanager
def as_role(role: str) -> Iterator[None]:
    """Processes forked inside are named `ktrdr-ROLE` (up to 15 bytes; `ps -e`, `/proc/PID/comm`)."""
    before, _Birth.role = _Birth.role, role
    try:
        yield
    finally:
        _Birth.role = before


def name_this_process(role: str) -> None:
    with suppress(OSError):  # a nicety, and only on Linux
        Path("/proc/self/comm").write_text(f"ktrdr-{role}"[:15])


def leave_stopping_to_main() -> None:
    """Ignore stop signals, here and in every fork: a terminal or systemd sends them to the whole tree at once."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
