"""Which process of this cluster works on which operation: memory that main, sentinel and workers share.

The main must know a hung process from one that has moved on, and must not need the database or the process for it.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from multiprocessing.sharedctypes import RawArray
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Seats:
    """One pair (pid, operation id) for each worker process; operation 0: none. Make it before the first fork."""

    def __init__(self, count: int) -> None:
        self._pids = RawArray("q", count)
        self._operations = RawArray("q", count)
        self.mine: int | None = None  # set by the parent just before it forks a worker

    def free(self, taken: Iterable[int]) -> int:
        """A seat that is not taken. Raises `StopIteration` when there is none."""
        used = set(taken)
        return next(number for number in range(len(self._pids)) if number not in used)

    def clear(self, seat: int) -> None:
        self._operations[seat] = 0

    def write(self, operation: int) -> None:
        """This process works on `operation` from now on. Nothing happens outside a worker."""
        if self.mine is None:
            return
        self._operations[self.mine] = 0
        self._pids[self.mine] = os.getpid()
        self._operations[self.mine] = operation

    def occupied(self) -> dict[int, int]:
        """Operation ids by pid."""
        return {
            pid: operation for pid, operation in zip(self._pids, self._operations, strict=True) if pid and operation
        }


class _Here:
    seats: Seats | None = None


def prepare(count: int) -> Seats:
    """Make the seats of this cluster; forks inherit them."""
    _Here.seats = Seats(count)
    return _Here.seats


@contextmanager
def working_on(operation: int) -> Iterator[None]:
    """Say that this process works on `operation`; outside a cluster's worker this does nothing."""
    if _Here.seats is not None:
        _Here.seats.write(operation)
    try:
        yield
    finally:
        if _Here.seats is not None:
            _Here.seats.write(0)
