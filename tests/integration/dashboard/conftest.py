"""The cast: a stranger, a viewer, an operator; and a blob folder for every test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.test import Client

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_django.fixtures import SettingsWrapper


@pytest.fixture(autouse=True)
def blob_dir(settings: SettingsWrapper, tmp_path: Path) -> Path:
    folder = tmp_path / "blobs"
    blobs = settings.STORAGES["blobs"] | {"OPTIONS": {"location": folder}}
    settings.STORAGES = settings.STORAGES | {"blobs": blobs}
    return folder


def _member(name: str, group: str) -> Client:
    user = get_user_model().objects.create_user(name, password="correct horse")
    user.groups.add(Group.objects.get(name=group))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def stranger(transactional_db: None) -> Client:
    return Client()


@pytest.fixture
def viewer(transactional_db: None) -> Client:
    """vic, of the group viewer."""
    return _member("vic", "viewer")


@pytest.fixture
def operator(transactional_db: None) -> Client:
    """olga, of the group operator."""
    return _member("olga", "operator")
