"""`manage.py cluster`: the processes that coordinate, design and assess."""

from __future__ import annotations

import logging
import sys
from typing import Any

from django.core.management.base import CommandError
from django.db import ProgrammingError

from ktrdr_site.commands import DatabaseCommand


class Command(DatabaseCommand):
    help = "Run a cluster: the processes that coordinate, design and assess. SIGTERM or Ctrl-C ends it gracefully."
    requires_system_checks: list[str] = []

    def handle(self, *_args: Any, **_options: Any) -> None:
        from ktrdr_site.cluster import main

        logging.getLogger("django-q").setLevel(logging.WARNING)  # three lines for each task tell nobody anything
        try:
            code = main.run()
        except ProgrammingError as problem:
            raise CommandError(
                f"The database lacks KTRDR's tables ({problem}): manage.py migrate".replace("\n", " "), returncode=3
            ) from problem
        sys.exit(code)
