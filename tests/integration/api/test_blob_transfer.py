"""Blobs over HTTP: the worker's own client against the real server."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import resource
from contextlib import closing
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest

from research.lifecycle.states import Kind
from research.models import Artifact, Checkpoint, Event, Operation, Worker
from research.services import checkpoints, tokens
from tests.integration.services_data import rows
from workers.client import Client, Refused

if TYPE_CHECKING:
    from pathlib import Path

PAYLOAD = os.urandom(5_000_000)  # more than Django keeps in memory
SHA = hashlib.sha256(PAYLOAD).hexdigest()


def client(url: str, worker: str = "gpu", incarnation: UUID | None = None, token: str = "") -> Client:
    row = Worker.objects.filter(name=worker).first()
    life = incarnation or (row.incarnation if row else uuid4())
    return Client(url=url, token=token or tokens.create_token(worker), worker=worker, incarnation=str(life))


def refused(call: Any, *arguments: Any, **more: Any) -> tuple[int, str]:
    """Status and message, as the worker's client tells them."""
    with pytest.raises(Refused) as caught:
        call(*arguments, **more)
    return caught.value.status, caught.value.message


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "payload"
    path.write_bytes(PAYLOAD)
    return path


@pytest.fixture
def training(url: str) -> Operation:
    return rows.running(rows.worker("gpu"))


def test_a_checkpoint_goes_up_and_comes_down_to_the_one_who_takes_over(
    url: str, training: Operation, file: Path, tmp_path: Path
) -> None:
    path = f"/api/v1/operations/{training.pk}/checkpoints/4"
    client(url).put(path, file)
    client(url).put(path, file)
    row = Checkpoint.objects.get()
    assert (row.unit, row.sha256, row.size) == (4, SHA, len(PAYLOAD))
    rows.lost(training)
    rows.running(rows.worker("cpu"), training.research, continues=training.pk, restore=(row.pk, 4))
    client(url, "cpu").fetch(path, tmp_path / "down", sha256=SHA, size=len(PAYLOAD))
    assert (tmp_path / "down").read_bytes() == PAYLOAD


def test_an_artifact_goes_up_and_a_backtest_of_the_same_research_gets_it(
    url: str, training: Operation, file: Path, tmp_path: Path
) -> None:
    path = f"/api/v1/operations/{training.pk}/artifacts/model.safetensors"
    client(url).put(path, file)
    assert Artifact.objects.get().sha256 == SHA
    rows.completed(training)
    rows.move(training.research, "backtesting")
    rows.running(rows.worker("cpu"), training.research, Kind.BACKTEST)
    client(url, "cpu").fetch(path, tmp_path / "down", sha256=SHA, size=len(PAYLOAD))


def test_the_bars_of_its_research_are_for_a_worker_and_others_are_not(
    url: str, training: Operation, tmp_path: Path
) -> None:
    mine, other = training.research.dataset, rows.dataset("OTHER")
    client(url).fetch(f"/api/v1/datasets/{mine.sha256}", tmp_path / "down", sha256=mine.sha256, size=mine.size)
    status, said = refused(
        client(url).fetch, f"/api/v1/datasets/{other.sha256}", tmp_path / "x", sha256=other.sha256, size=other.size
    )
    assert (status, "gpu" in said) == (403, True)


def test_a_stranger_and_a_revoked_token_get_401(url: str, training: Operation, file: Path) -> None:
    path = f"/api/v1/operations/{training.pk}/checkpoints/4"
    token = tokens.create_token("gpu")
    tokens.revoke("gpu")
    for wrong in (token, "guess"):
        assert refused(client(url, token=wrong).put, path, file)[0] == 401
    assert not Checkpoint.objects.exists()


def test_a_token_does_not_speak_for_another_worker(url: str, training: Operation, file: Path) -> None:
    path = f"/api/v1/operations/{training.pk}/checkpoints/4"
    status, said = refused(client(url, "gpu", token=tokens.create_token("cpu")).put, path, file)
    assert (status, "gpu" in said) == (403, True)


def test_a_worker_touches_only_what_it_runs(url: str, training: Operation, file: Path, tmp_path: Path) -> None:
    rows.worker("cpu")
    path = f"/api/v1/operations/{training.pk}/checkpoints/4"
    assert refused(client(url, "cpu").put, path, file)[0] == 403
    client(url).put(path, file)
    assert refused(client(url, "cpu").fetch, path, tmp_path / "x", sha256=SHA, size=len(PAYLOAD))[0] == 403


def test_unknown_finished_and_another_incarnations_operations_are_told_apart(
    url: str, training: Operation, file: Path
) -> None:
    path = f"/api/v1/operations/{training.pk}/checkpoints/4"
    assert refused(client(url).put, "/api/v1/operations/999/checkpoints/4", file)[0] == 404
    assert refused(client(url, incarnation=uuid4()).put, path, file)[0] == 409
    rows.lost(training)
    assert refused(client(url).put, path, file)[0] == 410
    assert not Checkpoint.objects.exists()


@pytest.mark.scenario(19, 44)
def test_a_damaged_checkpoint_is_answered_with_410_and_never_used_again(
    url: str, training: Operation, file: Path, tmp_path: Path, blob_dir: Path
) -> None:
    for unit in (3, 4):
        client(url).put(f"/api/v1/operations/{training.pk}/checkpoints/{unit}", file)
    newest = Checkpoint.objects.get(unit=4)
    with (blob_dir / newest.blob).open("r+b") as handle:
        handle.seek(2_000_000)
        handle.write(b"rot")
    path = f"/api/v1/operations/{training.pk}/checkpoints/4"
    status, said = refused(client(url).fetch, path, tmp_path / "x", sha256=SHA, size=len(PAYLOAD))
    assert (status, "is damaged" in said) == (410, True)
    assert [row.unit for row in checkpoints.usable_checkpoints(training.research_id, Kind.TRAINING)] == [3]
    assert Event.objects.filter(code="checkpoint.unusable").count() == 1
    assert refused(client(url).fetch, path, tmp_path / "x", sha256=SHA, size=len(PAYLOAD))[0] == 404


@pytest.mark.parametrize("name", ["..", "a%2Fb", ".hidden", "x" * 81, "a%00b"])
def test_a_name_that_is_no_file_name_is_refused(url: str, training: Operation, file: Path, name: str) -> None:
    with pytest.raises(Refused) as caught:
        client(url).put(f"/api/v1/operations/{training.pk}/artifacts/{name}", file)
    assert caught.value.status in {404, 422}
    assert not Artifact.objects.exists()


def raw(url: str, path: str, headers: dict[str, str], body: bytes = b"") -> tuple[int, dict[str, str]]:
    """One PUT with exactly these headers; `body` may be shorter than announced."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=20)
    with closing(connection):
        connection.putrequest("PUT", path)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())


def test_what_is_too_large_is_refused_before_it_is_sent(url: str, training: Operation) -> None:
    path = f"/api/v1/operations/{training.pk}/checkpoints/4"
    head = {"Authorization": f"Bearer {tokens.create_token('gpu')}"}
    status, said = raw(url, path, head | {"Content-Length": str(300 << 20)})
    assert (status, said["code"]) == (413, "too_large")
    assert "KTRDR_MAX_BLOB_MB" in said["message"]
    assert raw(url, path, head)[0] == 411
    assert raw(url, path, {"Content-Length": "5"})[0] == 401
    assert raw(url, "/api/v1/workers/sync", head | {"Content-Length": str(300 << 20)})[0] == 413


def test_bytes_that_are_not_what_was_announced_are_refused(url: str, training: Operation) -> None:
    incarnation = str(training.incarnation)
    head = {"Authorization": f"Bearer {tokens.create_token('gpu')}", "X-Ktrdr-Worker": "gpu", "Content-Length": "4"}
    head |= {"X-Ktrdr-Incarnation": incarnation}
    path = f"/api/v1/operations/{training.pk}/checkpoints/4"
    for checksum in (SHA, "short", ""):
        status, said = raw(url, path, head | {"X-Content-SHA256": checksum}, b"data")
        assert (status, said["code"]) == (422, "invalid")
    assert raw(url, path, head | {"X-Content-SHA256": SHA, "X-Ktrdr-Incarnation": "?"}, b"data")[0] == 422
    assert not Checkpoint.objects.exists()


def test_a_full_disk_is_answered_with_507_and_the_next_try_succeeds(
    url: str, training: Operation, tmp_path: Path
) -> None:
    small = tmp_path / "small"
    small.write_bytes(PAYLOAD[:500_000])  # Django holds it in memory: only our own file hits the limit
    path = f"/api/v1/operations/{training.pk}/checkpoints/4"
    sender = client(url)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        status, said = refused(sender.put, path, small)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (status, "disk of the blob folder is full" in said) == (507, True)
    sender.put(path, small)
    assert Checkpoint.objects.get().size == 500_000
