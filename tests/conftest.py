"""The test session's PostgreSQL: embedded, thrown away at the end; started when the first test needs it."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest
from django.conf import settings

from ktrdr_site.localpg import Server
from tests.support.stack import FAST

if TYPE_CHECKING:
    from collections.abc import Iterator

# A shell starts its background jobs with SIGINT ignored, and whatever we start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server | None]:
    """The session's embedded server, running; None when `DATABASE_URL` names another."""
    if settings.ENV.database_url:
        yield None
        return
    server = Server(settings.ENV.data_dir, options=FAST)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(postgres: Server | None) -> None:
    """Has pytest-django set up its test database only when the server runs."""
