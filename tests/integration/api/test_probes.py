"""Probes and metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db import connections
from django.test import Client as Browser

from research.api import health
from tests.integration.services_data import rows

if TYPE_CHECKING:
    from pytest_django.fixtures import SettingsWrapper

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _asked_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health._Migrated, "yes", False)


def test_a_migrated_database_and_room_on_the_disk_are_ready() -> None:
    answer = Browser().get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"ready": True, "checks": {"database": "ok", "migrations": "ok", "disk": "ok"}}


def test_a_missing_migration_is_said() -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "DELETE FROM django_migrations WHERE id = (SELECT max(id) FROM django_migrations WHERE app = 'research')"
            " RETURNING app, name, applied"
        )
        [newest] = cursor.fetchall()
        try:
            answer = Browser().get("/readyz")
        finally:
            cursor.execute("INSERT INTO django_migrations (app, name, applied) VALUES (%s, %s, %s)", newest)
    assert answer.status_code == 503
    assert "manage.py migrate" in answer.json()["checks"]["migrations"]


def test_a_database_that_does_not_answer_is_not_ready_but_the_process_is_healthy(settings: SettingsWrapper) -> None:
    connection = connections["default"]
    before = connection.settings_dict["PORT"]
    connection.close()
    connection.settings_dict["PORT"] = "1"
    try:
        ready, healthy = Browser().get("/readyz"), Browser().get("/healthz")
    finally:
        connection.settings_dict["PORT"] = before
        connection.close()
    assert ready.status_code == 503
    assert ready.json()["checks"]["database"] == "the database does not answer"
    assert healthy.status_code == 200


def test_metrics_count_what_there_is() -> None:
    rows.running(rows.worker("gpu"))
    rows.queued(rows.research())
    rows.worker("cpu")
    lines = Browser().get("/metrics").content.decode().splitlines()
    for line in (
        'ktrdr_researches{state="training"} 2',
        'ktrdr_researches{state="failed"} 0',
        'ktrdr_operations_live{kind="training",status="running"} 1',
        'ktrdr_operations_live{kind="training",status="queued"} 1',
        'ktrdr_workers{state="connected"} 2',
        "ktrdr_leader 0",
        "# TYPE ktrdr_events_total counter",
    ):
        assert line in lines
    samples = [line for line in lines if not line.startswith("#")]
    assert all(float(line.rsplit(" ", 1)[1]) >= 0 for line in samples)
