"""An asynchronous connection to Django's database that listens."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import psycopg
from django.db import connections

from research.services.change import CHANNEL

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

APPLICATION = "ktrdr relay"
_CONNECT_S = 5
_DJANGO_ONLY = ("cursor_factory", "context", "prepare_threshold")


def connection_parameters() -> dict[str, Any]:
    """What psycopg needs to reach the database Django uses."""
    entry = connections["default"].get_connection_params()
    return {name: value for name, value in entry.items() if name not in _DJANGO_ONLY}


@asynccontextmanager
async def listening_connection() -> AsyncIterator[psycopg.AsyncConnection]:
    """A connection that hears every push committed from now on. Raises `psycopg.Error` when there is no database."""
    parameters = connection_parameters() | {"application_name": APPLICATION, "connect_timeout": _CONNECT_S}
    connection = await psycopg.AsyncConnection.connect(**parameters, autocommit=True)
    async with connection:
        await connection.execute(f"LISTEN {CHANNEL}")
        yield connection
