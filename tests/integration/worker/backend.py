"""A backend on a real socket, as odd as a test wants it: the counterpart of real agents."""

from __future__ import annotations

import hashlib
import json
import re
import socket
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

from tests.support.processes import free_port
from tests.support.waiting import wait_until
from workers.protocol import (
    CHECKSUM_HEADER,
    Assignment,
    CheckpointRef,
    InputRef,
    OperationAnswer,
    OperationReport,
    SyncAnswer,
    SyncRequest,
)

if TYPE_CHECKING:
    from collections.abc import Callable

LEASE, HEARTBEAT = 0.8, 0.1


@dataclass(frozen=True)
class Call:
    """One sync call and when it came."""

    at: float
    request: SyncRequest

    def of(self, operation: int) -> OperationReport | None:
        return next((report for report in self.request.operations if report.id == operation), None)


@dataclass
class Backend:
    """`odd` holds what to do with the next sync calls instead of answering: an HTTP status, "reset" (before anything
    is noted), "lose" (all is noted, the answer is lost) or a number of seconds to be late by."""

    token: str = "right"
    odd: deque[Any] = field(default_factory=deque)
    calls: list[Call] = field(default_factory=list)
    stored: dict[str, bytes] = field(default_factory=dict)  # "12/artifacts/model" -> bytes
    files: dict[str, bytes] = field(default_factory=dict)  # what GET serves, by path
    verdicts: dict[int, OperationAnswer] = field(default_factory=dict)  # instead of the usual answer
    acknowledges: bool = True
    drain: bool = False
    mute: int = 0  # so many of the next uploads are read and never answered

    def __post_init__(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._work: deque[Assignment] = deque()
        self._sessions: dict[str, int] = {}
        self._sockets: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._server: ThreadingHTTPServer | None = None
        self.stopped = threading.Event()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        handler = type("Handler", (_Handler,), {"backend": self})
        self.stopped.clear()
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self) -> None:
        """An outage: nobody listens and every connection is cut."""
        self.stopped.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
        for connection in list(self._sockets):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    # --- what a test asks for

    def give(self, operation: int, *, kind: str = "training", checkpoints: list[CheckpointRef] | None = None,
             inputs: list[InputRef] | None = None, **spec: Any) -> None:  # fmt: skip
        """Assign an operation at the next call of an idle worker."""
        assignment = Assignment(
            id=operation, kind=kind, spec=spec, seed=7, attempt=1, deadline_s=60,  # type: ignore[arg-type]
            inputs=inputs or [], checkpoints=checkpoints or [],
        )  # fmt: skip
        self._work.append(assignment)

    def offer(self, path: str, payload: bytes, announced: bytes | None = None) -> dict[str, Any]:
        """Serve `payload` at `path`; returns size and SHA-256 of what is announced, by default the truth."""
        self.files[path] = payload
        truth = payload if announced is None else announced
        return {"size": len(truth), "sha256": hashlib.sha256(truth).hexdigest()}

    def checkpoint(self, operation: int, unit: int, payload: bytes, announced: bytes | None = None) -> CheckpointRef:
        path = f"/api/v1/operations/{operation}/checkpoints/{unit}"
        return CheckpointRef(operation=operation, unit=unit, **self.offer(path, payload, announced))

    # --- what a test looks at

    def reports(self, operation: int) -> list[OperationReport]:
        return [report for call in self.calls if (report := call.of(operation)) is not None]

    def wait_report(self, operation: int, when: Callable[[OperationReport], bool], what: str) -> OperationReport:
        found = wait_until(lambda: next(filter(when, self.reports(operation)), None), timeout=20, what=what)
        assert found is not None
        return found

    def wait_unit(self, operation: int, unit: int) -> OperationReport:
        def there(report: OperationReport) -> bool:
            return report.progress is not None and report.progress.unit >= unit

        return self.wait_report(operation, there, f"operation {operation} comes to unit {unit}")

    def wait_end(self, operation: int) -> OperationReport:
        return self.wait_report(operation, lambda one: one.state != "running", f"operation {operation} ends")

    def wait_calls(self, more: int) -> None:
        goal = len(self.calls) + more
        wait_until(lambda: len(self.calls) >= goal, timeout=20, what=f"{more} more calls come")

    # --- the answers

    def answer(self, request: SyncRequest) -> SyncAnswer:
        with self._lock:
            self.calls.append(Call(time.monotonic(), request))
            incarnation = str(request.incarnation)
            session = self._sessions.setdefault(incarnation, len(self._sessions) + 1)
            if request.session != session:
                return SyncAnswer(session=session, lease=LEASE, heartbeat=HEARTBEAT)
            idle = not request.operations and not request.draining
            return SyncAnswer(
                session=session, lease=LEASE, heartbeat=HEARTBEAT, drain=self.drain,
                operations=[self._verdict(report) for report in request.operations],
                assignment=self._work.popleft() if idle and self._work else None,
            )  # fmt: skip

    def _verdict(self, report: OperationReport) -> OperationAnswer:
        if report.id in self.verdicts:
            return self.verdicts[report.id]
        through = max((point.unit for point in report.metrics), default=None)
        going_on = OperationAnswer(id=report.id, verdict="continue", metrics_through=through)
        if report.state == "running" or report.more or not self.acknowledges:
            return going_on
        listed = (report.result or {}).get("artifacts", {})
        missing = [name for name in listed if f"{report.id}/artifacts/{name}" not in self.stored]
        if missing:
            return going_on.model_copy(update={"missing_artifacts": missing})
        return OperationAnswer(id=report.id, verdict="acknowledged")


class _Handler(BaseHTTPRequestHandler):
    backend: Backend
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        self.backend._sockets.add(self.request)
        super().setup()

    def finish(self) -> None:
        self.backend._sockets.discard(self.request)
        with suppress(OSError, ValueError):
            super().finish()

    def handle(self) -> None:
        with suppress(OSError):  # an agent may leave at any moment
            super().handle()

    def log_message(self, *_: Any) -> None:
        pass

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Authorization"] != f"Bearer {self.backend.token}":
            self._say(401, b'{"code": "token", "message": "This token is not valid."}')
            return
        odd = self.backend.odd.popleft() if self.backend.odd else None
        if isinstance(odd, float):
            time.sleep(odd)
            odd = None
        if odd == "reset":
            self._cut()
            return
        if isinstance(odd, int):
            self._say(odd, json.dumps({"code": "odd", "message": f"odd {odd}"}).encode())
            return
        answer = self.backend.answer(SyncRequest.model_validate_json(body))
        if odd == "lose":
            self._cut()
            return
        self._say(200, answer.model_dump_json().encode())

    def do_PUT(self) -> None:
        payload = self.rfile.read(int(self.headers["Content-Length"]))
        if self.backend.mute > 0:
            self.backend.mute -= 1
            self.backend.stopped.wait()
            return
        name = re.sub(r"^/api/v1/operations/", "", self.path)
        if hashlib.sha256(payload).hexdigest() != self.headers[CHECKSUM_HEADER]:
            self._say(422, b"{}")
            return
        self.backend.stored[name] = payload
        self._say(201, b"{}")

    def do_GET(self) -> None:
        payload = self.backend.files.get(self.path)
        self._say(404 if payload is None else 200, payload or b"{}")

    def _say(self, status: int, payload: bytes) -> None:
        self.send_response(status)
        if status in {301, 302, 307, 308}:
            self.send_header("Location", "https://elsewhere.example/")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def _cut(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)
