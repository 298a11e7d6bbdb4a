"""Tokens of workers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from django.conf import settings as live

from research.models import Event, WorkerToken
from research.services import tokens
from research.services.errors import Invalid, NotFound, Unauthorised

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_django.fixtures import SettingsWrapper

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_token_is_recognised_and_stored_nowhere_in_clear() -> None:
    token = tokens.create_token("gpu", user="ada")
    row = tokens.authenticate(token)
    assert row.name == "gpu"
    assert token not in str(WorkerToken.objects.values_list().get())
    assert token not in str(list(Event.objects.values_list()))
    assert Event.objects.get(code="token.created").user == "ada"


def test_a_revoked_token_is_refused() -> None:
    first, second = tokens.create_token("gpu"), tokens.create_token("gpu")
    other = tokens.create_token("cpu")
    assert tokens.revoke("gpu") == 2
    for token in (first, second, "never-made", ""):
        with pytest.raises(Unauthorised, match="create-token"):
            tokens.authenticate(token)
    assert tokens.authenticate(other).name == "cpu"


def test_revoking_what_is_not_there_says_so() -> None:
    with pytest.raises(NotFound, match="create-token gpu"):
        tokens.revoke("gpu")


@pytest.mark.parametrize(
    ("worker", "served"),
    [("gpu", True), ("gpu-1", True), ("gpu-12", True), ("gpu-a", False), ("gpu-1-2", False), ("gpu2", False),
     ("xgpu", False), ("gpu-", False), ("gpu-1\n", False)],
)  # fmt: skip
def test_a_token_serves_its_name_and_its_numbered_workers(worker: str, served: bool) -> None:
    assert tokens.serves(WorkerToken(name="gpu"), worker) is served


def test_a_dot_in_a_name_is_a_dot() -> None:
    assert not tokens.serves(WorkerToken(name="a.b"), "axb")


@pytest.mark.parametrize("name", ["", "GPU", "a b", "../x", "-a", "a" * 64])
def test_a_name_no_worker_can_have_is_refused(name: str) -> None:
    with pytest.raises(Invalid, match="cannot be a worker's name"):
        tokens.create_token(name)


@pytest.fixture
def data_dir(settings: SettingsWrapper, tmp_path: Path) -> Path:
    settings.ENV = replace(live.ENV, data_dir=tmp_path)
    return tmp_path


def test_the_local_token_is_made_once_and_kept_for_its_owner_only(data_dir: Path) -> None:
    token = tokens.ensure_local_token("local-training")
    assert tokens.ensure_local_token("local-training") == token
    assert tokens.serves(tokens.authenticate(token), "local-training-2")
    file = data_dir / "secrets" / "worker-local-training"
    assert file.stat().st_mode & 0o777 == 0o600
    assert WorkerToken.objects.count() == 1


def test_a_revoked_or_forgotten_local_token_is_made_anew(data_dir: Path) -> None:
    first = tokens.ensure_local_token("local-training")
    tokens.revoke("local-training")
    second = tokens.ensure_local_token("local-training")
    WorkerToken.objects.all().delete()  # a database restored from before
    third = tokens.ensure_local_token("local-training")
    assert len({first, second, third}) == 3
    assert tokens.authenticate(third)
