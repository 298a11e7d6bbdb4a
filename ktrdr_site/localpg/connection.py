"""Ready means: a real connection was made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg

from ktrdr_site.localpg.place import DATABASE, PORT

if TYPE_CHECKING:
    from ktrdr_site.localpg.place import Place


def connect(place: Place) -> psycopg.Connection:
    """A connection to KTRDR's database. Raises `psycopg.OperationalError` while the server does not take one."""
    return psycopg.connect(
        host=str(place.socket_dir), port=PORT, user=DATABASE, dbname=DATABASE, connect_timeout=2, autocommit=True
    )


def answers(place: Place) -> bool:
    try:
        with connect(place) as connection:
            connection.execute("SELECT 1")
    except psycopg.OperationalError:
        return False
    return True
