"""Several callers at once, each with a database connection of its own."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from typing import TYPE_CHECKING, Any, TypeVar

from django.db import connection, connections

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")


def at_once(*calls: Callable[[], T]) -> list[T | Exception]:
    """Run the calls at the same moment; what each returned or raised, in their order."""
    together = Barrier(len(calls), timeout=20)

    def run(call: Callable[[], T]) -> T | Exception:
        try:
            connection.ensure_connection()
            together.wait()
            return call()
        except Exception as error:  # noqa: BLE001 - handed back
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result(60) for future in [pool.submit(run, call) for call in calls]]


@contextmanager
def aside(call: Callable[[], T]) -> Iterator[Future[T]]:
    """Run one call in another thread while the block goes on; it is waited for at the end."""

    def run() -> T:
        try:
            return call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(run)


def waits_for_a_lock() -> bool:
    """Some session waits for another one's lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        row: tuple[Any, ...] = cursor.fetchone()
    return bool(row[0])
