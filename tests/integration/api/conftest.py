"""A real web server in this process, and a blob folder for every test."""

from __future__ import annotations

from threading import Thread
from typing import TYPE_CHECKING

import pytest
import uvicorn
from django.contrib.auth import get_user_model
from django.core.asgi import get_asgi_application
from django.db import connections
from django.test import Client as Browser

from research.api.limits import BodyLimit
from tests.support.processes import free_port
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_django.fixtures import SettingsWrapper


@pytest.fixture(autouse=True)
def blob_dir(settings: SettingsWrapper, tmp_path: Path) -> Path:
    folder = tmp_path / "blobs"
    blobs = settings.STORAGES["blobs"] | {"OPTIONS": {"location": folder}}
    settings.STORAGES = settings.STORAGES | {"blobs": blobs}
    return folder


@pytest.fixture
def url(transactional_db: None) -> Iterator[str]:
    """The address of the site, served over HTTP as in production, without what runs beside it."""
    entry = connections["default"].settings_dict
    before, entry["CONN_MAX_AGE"] = entry["CONN_MAX_AGE"], 0
    port = free_port()
    config = uvicorn.Config(
        BodyLimit(get_asgi_application()), host="127.0.0.1", port=port, lifespan="off", log_config=None, ws="none"
    )
    server = uvicorn.Server(config)
    thread = Thread(target=server.run)
    thread.start()
    wait_until(lambda: server.started, what="the web server listens")
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(20)
    assert not thread.is_alive()
    entry["CONN_MAX_AGE"] = before


@pytest.fixture
def operator(transactional_db: None) -> Browser:
    """A signed-in user who may do everything."""
    browser = Browser()
    browser.force_login(get_user_model().objects.create_superuser("ada", password="x"))
    return browser


@pytest.fixture
def viewer(transactional_db: None) -> Browser:
    """A signed-in user who may only look."""
    browser = Browser()
    browser.force_login(get_user_model().objects.create_user("vic", password="x"))
    return browser
