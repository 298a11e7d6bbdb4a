"""For probes: `/healthz` (this process answers) and `/readyz` (it can do its work)."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse

if TYPE_CHECKING:
    from collections.abc import Callable

LEAST_FREE = 200 << 20  # bytes: below it checkpoints and the database will soon fail


def healthz(_request: HttpRequest) -> HttpResponse:
    """This process answers. Says nothing about the database: `/readyz` does."""
    return HttpResponse("ok\n", content_type="text/plain")


def readyz(_request: HttpRequest) -> JsonResponse:
    """200 when database, migrations and disk allow work; else 503. Each check says "ok" or what is wrong."""
    found = {name: check() for name, check in CHECKS.items()}
    ready = all(word == "ok" for word in found.values())
    return JsonResponse({"ready": ready, "checks": found}, status=200 if ready else 503)


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "the database does not answer"
    return "ok"


def _migrations() -> str:
    if _Migrated.yes:
        return "ok"
    try:
        executor = MigrationExecutor(connection)
        waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return "unknown: the database does not answer"
    _Migrated.yes = not waiting
    return "ok" if _Migrated.yes else f"{len(waiting)} migrations wait: run manage.py migrate"


class _Migrated:
    """Asked until it is so: a running process does not lose its tables."""

    yes = False


def _disk() -> str:
    folder = settings.ENV.data_dir
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return f"the data folder cannot be read: {error.strerror}"
    return "ok" if free >= LEAST_FREE else f"only {free >> 20} MiB are free in the data folder"


CHECKS: dict[str, Callable[[], str]] = {"database": _database, "migrations": _migrations, "disk": _disk}
