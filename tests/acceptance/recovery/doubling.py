"""An HTTP proxy that sends every sync call twice at once, answers with either, and keeps one assignment for long."""

from __future__ import annotations

import http.client
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

Answer = tuple[int, str, bytes]  # status, content type, body


class Doubling:
    """Enter to listen on `port`. `doubled`: calls sent twice. `late`: ids of assignments whose answer was kept back
    until the worker had been given the same work by a newer one, and said that it has it.
    """

    def __init__(self, target: int) -> None:
        self.target, self.doubled = target, 0
        self.late: list[int] = []
        self._has_it = threading.Event()
        self._kept = 0
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(16)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"proxy": self}))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, name="doubling", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._pool.shutdown()

    def twice(self, path: str, headers: dict[str, str], body: bytes) -> Answer:
        """The answers to both copies are of the same call: the worker gets the one that comes last, half the time."""
        both = [self._pool.submit(self.forward, "POST", path, headers, body) for _ in range(2)]
        with self._lock:
            self.doubled += 1
            turn = self.doubled % 2
        if self._kept in {one["id"] for one in json.loads(body)["operations"]}:
            self._has_it.set()
        answers = [one.result() for one in both]
        return self._in_time(max(answers, key=_gives) if turn else min(answers, key=_gives))

    def _in_time(self, answer: Answer) -> Answer:
        """Keep the first answer that gives work until the worker has that work from a newer one."""
        number = _gives(answer)
        with self._lock:
            keep = bool(number) and not self._kept
            self._kept = self._kept or number
        if keep and self._has_it.wait(30):
            self.late.append(number)
        return answer

    def forward(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.target, timeout=30)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.headers.get("Content-Type", ""), answer.read()
        finally:
            connection.close()


def _gives(answer: Answer) -> int:
    """The id of the operation that an answer assigns; 0 for none."""
    said: Any = json.loads(answer[2]) if answer[0] == 200 else {}
    return int((said.get("assignment") or {}).get("id", 0))


class _Handler(BaseHTTPRequestHandler):
    proxy: Doubling
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self._pass(double=self.path.endswith("/workers/sync"))

    def do_GET(self) -> None:
        self._pass()

    def do_PUT(self) -> None:
        self._pass()

    def _pass(self, *, double: bool = False) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in {"host", "connection"}}
        if double:
            status, kind, answer = self.proxy.twice(self.path, headers, body)
        else:
            status, kind, answer = self.proxy.forward(self.command, self.path, headers, body)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Nothing: the worker and the backend log what matters."""
