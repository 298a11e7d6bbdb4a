"""The base of `manage.py` commands that need the database: one clear line when something stands in the way."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection

NOTHING_RUNS = "nothing runs here: manage.py up"


class DatabaseCommand(BaseCommand):
    """Checks the connection first (exit code 3 when there is none).

    An exception of the product with an `exit_code` ends the command with that code and its message in one line.
    """

    requires_migrations_checks = False

    def execute(self, *args: Any, **options: Any) -> str | None:
        self._connect()
        try:
            return super().execute(*args, **options)
        except CommandError:
            raise
        except Exception as problem:
            code = getattr(problem, "exit_code", None)
            if code is None:
                raise
            raise CommandError(" ".join(str(problem).split()), returncode=int(code)) from problem

    @staticmethod
    def _connect() -> None:
        try:
            connection.ensure_connection()
        except OperationalError as problem:
            message = NOTHING_RUNS
            if settings.ENV.database_url:
                message = f"the database in DATABASE_URL does not answer: {str(problem).strip().splitlines()[0]}"
            raise CommandError(message, returncode=3) from problem
