"""`--slots N`: N workers NAME-1 … NAME-N on this host, one process each, as the protocol gives one slot to a name."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from workers.child.bond import die_with

if TYPE_CHECKING:
    from collections.abc import Sequence


def run_slots(name: str, slots: int, arguments: Sequence[str]) -> int:
    """Start them, hand signals on, wait for all; returns the first exit code that is not 0. A token for NAME serves
    them all. One that ends takes the others with it, so that a supervisor sees it."""
    rest = _without(arguments, {"--slots", "--name"})
    me = os.getpid()
    workers = [
        subprocess.Popen(
            [sys.executable, "-m", "workers", *rest, "--name", f"{name}-{number}"],
            preexec_fn=lambda: die_with(me),  # no thread runs yet
            start_new_session=True,
        )
        for number in range(1, slots + 1)
    ]

    def hand_on(number: int, _frame: object = None) -> None:
        for worker in workers:
            worker.send_signal(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, hand_on)
    os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
    hand_on(signal.SIGTERM)
    codes = [worker.wait() for worker in workers]
    return next((code for code in codes if code), 0)


def _without(arguments: Sequence[str], options: set[str]) -> list[str]:
    """The arguments without these options, written as `--x VALUE` or `--x=VALUE`."""
    kept, skip = [], False
    for argument in arguments:
        if skip:
            skip = False
        elif argument in options:
            skip = True
        elif argument.partition("=")[0] not in options:
            kept.append(argument)
    return kept
