"""Processes that die between two writes: whatever the statement, not only where a fault point was thought of."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.db import connection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_WRITE = re.compile(r"\b(INSERT INTO|(?<!FOR )UPDATE \"?\w|DELETE FROM|pg_notify)")


class Died(BaseException):
    """No code of the product may catch it: what comes after it never happens."""


@contextmanager
def dying(before: int) -> Iterator[list[str]]:
    """The process dies before its write number `before` (1: the first; 0: never) and yields what it had written.

    What was not committed is rolled back, as PostgreSQL does with the transaction of a session that is gone.
    """
    written: list[str] = []

    def watch(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if _WRITE.search(sql):
            if len(written) + 1 == before:
                raise Died(sql)
            written.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        yield written
