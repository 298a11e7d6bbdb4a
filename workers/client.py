"""HTTP to the backend. Every call is one try; who calls decides whether and when to try again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import urllib3
from pydantic import ValidationError

from workers.cache import Damaged, file_sha256, verified_write
from workers.protocol import CHECKSUM_HEADER, INCARNATION_HEADER, WORKER_HEADER, SyncAnswer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from workers.protocol import SyncRequest

CONNECT_TIMEOUT = 2.0
READ_TIMEOUT = 5.0
SLOWEST_DISK = 8 << 20  # bytes a second at which the backend is sure to store and to verify
CHUNK = 1 << 20


class Unreachable(ConnectionError):
    """No answer: connection refused, cut or timed out, or an answer that is not the backend's."""


class Refused(RuntimeError):
    """The backend answered, but not with success. `status` is the HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status} {message}")
        self.status = status
        self.message = message


class Client:
    """One backend, one worker, one incarnation. Used by several threads."""

    def __init__(self, *, url: str, token: str, worker: str, incarnation: str) -> None:
        self.url = url.rstrip("/")
        self._headers = {
            "Authorization": f"Bearer {token}",
            WORKER_HEADER: worker,
            INCARNATION_HEADER: incarnation,
            "User-Agent": "ktrdr-worker/1",
        }
        self._pool = urllib3.PoolManager(num_pools=2, maxsize=8, retries=False)

    def sync(self, request: SyncRequest) -> SyncAnswer:
        """The control call. Raises `Unreachable` or `Refused`."""
        answer = self._request(
            "POST",
            "/api/v1/workers/sync",
            body=request.model_dump_json().encode(),
            headers={"Content-Type": "application/json"},
            timeout=urllib3.Timeout(connect=CONNECT_TIMEOUT, read=request.wait + READ_TIMEOUT),
        )
        _accept(answer)
        try:
            return SyncAnswer.model_validate_json(answer.data)
        except ValidationError as error:
            raise Unreachable(f"the answer is not one of this protocol: {error}") from error

    def put(self, path: str, file: Path) -> None:
        """Stream one file with its SHA-256. Raises `Unreachable`, `Refused`, FileNotFoundError."""
        size = file.stat().st_size
        headers = {
            CHECKSUM_HEADER: file_sha256(file),
            "Content-Length": str(size),
            "Content-Type": "application/octet-stream",
        }
        with file.open("rb") as body:
            _accept(self._request("PUT", path, body=body, headers=headers, timeout=_blob_timeout(size)))

    def fetch(self, path: str, target: Path, *, sha256: str, size: int) -> None:
        """Download one file, verified, atomically. Raises `Unreachable`, `Refused`, `Damaged`."""
        answer = self._request("GET", path, headers={}, timeout=_blob_timeout(size), preload_content=False)
        try:
            _accept(answer)
            verified_write(_chunks(answer), target, sha256=sha256, size=size)
        except urllib3.exceptions.HTTPError as error:
            raise Unreachable(f"download of {path} cut: {error}") from error
        finally:
            answer.close()
            answer.release_conn()

    def _request(self, method: str, path: str, *, headers: dict[str, str], **options: Any) -> urllib3.BaseHTTPResponse:
        try:
            return self._pool.request(
                method, f"{self.url}/{path.lstrip('/')}", headers=self._headers | headers, redirect=False, **options
            )
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise Unreachable(f"{method} {path}: {error}") from error


def _blob_timeout(size: int) -> urllib3.Timeout:
    """How long a backend may be silent about a blob of `size` bytes: one that is frozen, or lost with its host, is
    noticed in seconds, while a large blob has the time to get to the disk. urllib3 bounds each send of a body by the
    connect timeout."""
    return urllib3.Timeout(connect=READ_TIMEOUT, read=READ_TIMEOUT + size / SLOWEST_DISK)


def _accept(answer: urllib3.BaseHTTPResponse) -> None:
    if not 200 <= answer.status < 300:
        raise Refused(answer.status, _reason(answer))


def _reason(answer: urllib3.BaseHTTPResponse) -> str:
    """The backend's words; another server's page may say anything."""
    if 300 <= answer.status < 400:
        return f"it redirects to {answer.headers.get('Location', 'nowhere')}: give that as the URL"
    text = answer.data.decode(errors="replace")[:2000]
    try:
        return str(json.loads(text)["message"])
    except (ValueError, TypeError, KeyError):
        return text


def _chunks(answer: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    while chunk := answer.read(CHUNK):
        yield chunk


__all__ = ["Client", "Damaged", "Refused", "Unreachable"]
