"""Which PostgreSQL Django talks to: the one in `DATABASE_URL`, or the embedded one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from ktrdr_site import localpg
from ktrdr_site.environment import BadSetting

if TYPE_CHECKING:
    from ktrdr_site.environment import Environment

_ENGINE = "ktrdr_site.postgres"
_DJANGO = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}

# A process that freezes inside a transaction would keep its row locks for ever: after this many milliseconds without a
# statement its session ends, nothing of it is applied, and whoever waits goes on. Less than the leader's 3 s.
_SESSION = "-c idle_in_transaction_session_timeout=2500"


def database(settings: Environment) -> dict[str, Any]:
    """Django's `DATABASES["default"]`. Raises `BadSetting` when `DATABASE_URL` cannot be read."""
    entry = _from_url(settings.database_url) if settings.database_url else localpg.address(settings.data_dir)
    # One connection per process and thread, kept: connecting anew costs the task queue a factor of five.
    options = entry.get("OPTIONS", {})
    sessions = {"options": f"{_SESSION} {options.get('options', '')}".strip()}
    ours = {"ENGINE": _ENGINE, "CONN_MAX_AGE": 600, "CONN_HEALTH_CHECKS": True, "OPTIONS": options | sessions}
    return entry | ours


def _from_url(url: str) -> dict[str, Any]:
    if not url.startswith(("postgresql://", "postgres://")):
        raise BadSetting(
            "DATABASE_URL must begin with postgresql://, as in postgresql://user:password@host:5432/ktrdr."
        )
    try:
        parts = conninfo_to_dict(url)
    except ProgrammingError as problem:
        raise BadSetting(f"DATABASE_URL cannot be read: {problem}".strip()) from None
    if not parts.get("dbname"):
        raise BadSetting("DATABASE_URL names no database: end it with /ktrdr.")
    entry: dict[str, Any] = {ours: str(parts.pop(theirs)) for theirs, ours in _DJANGO.items() if parts.get(theirs)}
    return entry | {"OPTIONS": {"connect_timeout": 10} | parts}
