"""The test session has a PostgreSQL of its own, and processes can be pointed at it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.db import connection

from ktrdr_site.environment import PROJECT
from tests.support.database import database_url


@pytest.mark.django_db
def test_the_session_talks_to_postgresql_18() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version_num')::int, current_database()")
        version, name = cursor.fetchone()
    assert version >= 180000
    assert name == "test_ktrdr"


@pytest.mark.django_db
def test_another_process_reaches_the_test_database_by_its_url() -> None:
    code = "import django; django.setup(); from django.db import connection as c; x = c.cursor(); "
    code += "x.execute('SELECT current_database()'); print(x.fetchone()[0])"
    environment = os.environ | {"DATABASE_URL": database_url()}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "test_ktrdr", done.stderr
