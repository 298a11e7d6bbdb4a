"""The test database, for processes that tests start."""

from __future__ import annotations

from urllib.parse import quote

from django.db import connection


def database_url() -> str:
    """`DATABASE_URL` of the database the tests use now, for a child's environment."""
    entry = connection.settings_dict
    host, port = quote(str(entry["HOST"]), safe=""), entry["PORT"] or 5432
    password = f":{quote(entry['PASSWORD'])}" if entry["PASSWORD"] else ""
    return f"postgresql://{entry['USER']}{password}@/{quote(str(entry['NAME']))}?host={host}&port={port}"
