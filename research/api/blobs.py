"""Checkpoints, artifacts and datasets, streamed both ways, verified on both sides."""

from __future__ import annotations

import asyncio
import hashlib
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, StreamingHttpResponse
from ninja import Path as InPath
from ninja import Router, Schema, Status

from research.api.auth import WorkerCaller, need_work_in, session, worker_token
from research.models import Artifact, Checkpoint, Dataset, Operation
from research.services import blobs, checkpoints
from research.services.errors import Invalid, NotFound
from workers.protocol import CHECKSUM_HEADER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

router = Router(auth=worker_token)
datasets_router = Router(auth=[worker_token, session])
NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}"
_HEX = set("0123456789abcdef")


class StoredBlob(Schema):
    """`size` is bytes."""

    sha256: str
    size: int


@router.put("{int:operation}/checkpoints/{int:unit}", response={201: StoredBlob}, auth=worker_token)
def put_checkpoint(request: HttpRequest, operation: int, unit: int) -> Status:
    """Store a checkpoint of an operation this incarnation runs. The same one again changes nothing."""
    caller = _caller(request)
    row = checkpoints.commit_checkpoint(
        operation, unit, _body(request), _checksum(request), worker=caller.name, incarnation=caller.incarnation
    )
    return _created(row)


@router.put("{int:operation}/artifacts/{name}", response={201: StoredBlob}, auth=worker_token)
def put_artifact(request: HttpRequest, operation: int, name: str = InPath(pattern=f"^{NAME}$")) -> Status:
    """Store a file of a result. A later incarnation of the worker may, too."""
    caller = _caller(request)
    row = checkpoints.commit_artifact(
        operation, name, _body(request), _checksum(request), worker=caller.name, incarnation=caller.incarnation
    )
    return _created(row)


@router.get("{int:operation}/checkpoints/{int:unit}", auth=[worker_token, session])
def get_checkpoint(request: HttpRequest, operation: int, unit: int) -> StreamingHttpResponse:
    """A checkpoint, verified. A damaged one is answered with 410 and never used again."""
    _need_same_research(request, operation)
    row = Checkpoint.objects.filter(operation_id=operation, unit=unit, pruned_at=None, unusable="").first()
    if row is None:
        raise NotFound(f"Operation {operation} has no usable checkpoint at unit {unit}.")
    try:
        return _send(row.blob, row.sha256, row.size)
    except blobs.Damaged as damage:
        checkpoints.mark_unusable(row.pk, str(damage))
        raise


@router.get("{int:operation}/artifacts/{name}", auth=[worker_token, session])
def get_artifact(request: HttpRequest, operation: int, name: str) -> StreamingHttpResponse:
    """A file of a result, verified."""
    _need_same_research(request, operation)
    row = Artifact.objects.filter(operation_id=operation, name=name).first()
    if row is None:
        raise NotFound(f"Operation {operation} has no artifact {name}.")
    return _send(row.blob, row.sha256, row.size)


@datasets_router.get("{sha256}")
def get_dataset(request: HttpRequest, sha256: str) -> StreamingHttpResponse:
    """Bars, by their hash (safetensors; see `workers.market.bars`)."""
    row = Dataset.objects.filter(sha256=sha256).first()
    if row is None:
        raise NotFound(f"There is no dataset {sha256}.")
    need_work_in(request.auth, research__dataset__sha256=sha256)  # type: ignore[attr-defined]
    return _send(row.blob, row.sha256, row.size)


def _need_same_research(request: HttpRequest, operation_id: int) -> None:
    research = Operation.objects.filter(pk=operation_id).values_list("research_id", flat=True).first()
    if research is None:
        raise NotFound(f"There is no operation {operation_id}.")
    need_work_in(request.auth, research_id=research)  # type: ignore[attr-defined]


def _caller(request: HttpRequest) -> WorkerCaller:
    caller: WorkerCaller = request.auth  # type: ignore[attr-defined]
    return caller


def _checksum(request: HttpRequest) -> str:
    announced = request.headers.get(CHECKSUM_HEADER, "")
    if len(announced) != 2 * hashlib.sha256().digest_size or not set(announced) <= _HEX:
        raise Invalid(f"The header {CHECKSUM_HEADER} must be the SHA-256 of the body, 64 hexadecimal digits.")
    return announced


def _body(request: HttpRequest) -> Iterator[bytes]:
    while chunk := request.read(blobs.CHUNK):
        yield chunk


def _created(row: Checkpoint | Artifact) -> Status:
    return Status(HTTPStatus.CREATED, {"sha256": row.sha256, "size": row.size})


def _send(blob: str, sha256: str, size: int) -> StreamingHttpResponse:
    chunks = blobs.stream(blob, sha256)
    return StreamingHttpResponse(
        _threaded(chunks),
        content_type="application/octet-stream",
        headers={"Content-Length": str(size), CHECKSUM_HEADER: sha256, "Cache-Control": "private, no-transform"},
    )


async def _threaded(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Read in a thread: the event loop serves the other workers meanwhile."""
    end: Any = object()
    while (chunk := await asyncio.to_thread(next, chunks, end)) is not end:
        yield chunk
