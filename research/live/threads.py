"""Django's ORM from the event loop: a few threads of our own, each keeping its database connection."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from django.db import InterfaceError, InternalError, OperationalError, connection

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")
_POOL = ThreadPoolExecutor(max_workers=8, thread_name_prefix="orm")


async def in_thread(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run blocking code with the ORM. A connection that the database dropped is closed, so that the next call heals."""
    return await asyncio.get_running_loop().run_in_executor(_POOL, lambda: _healing(call, *args, **kwargs))


def _healing(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    try:
        return call(*args, **kwargs)
    except (OperationalError, InterfaceError):
        connection.close()
        raise
    except InternalError as error:  # so the database calls it when it ends a session that stood still in a transaction
        if connection.connection is None or not connection.connection.closed:
            raise
        connection.close()
        raise OperationalError(*error.args) from error
