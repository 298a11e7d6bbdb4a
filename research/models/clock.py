"""The database's clock: the only one that times are compared by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connection, models

if TYPE_CHECKING:
    from datetime import datetime


class DatabaseNow(models.Func):
    """`clock_timestamp()`: the moment itself, not the transaction's start."""

    template = "clock_timestamp()"
    arity = 0
    output_field = models.DateTimeField()


class In(models.Func):
    """`clock_timestamp()` plus so many seconds."""

    template = "clock_timestamp() + make_interval(secs => %(expressions)s)"
    output_field = models.DateTimeField()

    def __init__(self, seconds: float) -> None:
        super().__init__(models.Value(float(seconds), output_field=models.FloatField()))


def database_now() -> datetime:
    """UTC, from the database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        row = cursor.fetchone()
    now: datetime = row[0]
    return now
