"""Raw SQL in tests: what no service would do, and moving stored times instead of waiting."""

from __future__ import annotations

from typing import Any

from django.db import connection, transaction


def execute(sql: str, **parameters: Any) -> int:
    """One statement; returns how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return int(cursor.rowcount)


def attempt(*statements: str, **parameters: Any) -> None:
    """The statements in one transaction that is committed, so that deferred triggers speak."""
    with transaction.atomic():
        for sql in statements:
            execute(sql, **parameters)


def shift(table: str, seconds: float, *columns: str, where: str = "true") -> None:
    """Move stored times by so many seconds (negative: into the past)."""
    moved = ", ".join(f"{column} = {column} + make_interval(secs => %(by)s)" for column in columns)
    assert execute(f"UPDATE research_{table} SET {moved} WHERE {where}", by=float(seconds)) > 0, f"no {table} was moved"
