"""The proxy that chaos disturbs the network with does what it says."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from tests.chaos.proxy import DELAY_S, Proxy
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def _proxy_to_an_echo() -> Iterator[Proxy]:
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_serve, args=(listener,), daemon=True).start()
    proxy = Proxy(listener.getsockname()[1])
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()
        listener.close()


def _serve(listener: socket.socket) -> None:
    with suppress(OSError):
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=_echo, args=(connection,), daemon=True).start()


def _echo(connection: socket.socket) -> None:
    with connection, suppress(OSError):
        while data := connection.recv(4096):
            connection.sendall(data)


def _ask(connection: socket.socket, text: bytes) -> bytes:
    connection.sendall(text)
    return connection.recv(4096)


def test_what_is_sent_comes_through_unaltered() -> None:
    with _proxy_to_an_echo() as proxy, socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as connection:
        assert _ask(connection, b"hello") == b"hello"


def test_a_cut_ends_what_is_open_and_refuses_what_comes_until_it_is_over() -> None:
    with _proxy_to_an_echo() as proxy, socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as connection:
        assert _ask(connection, b"one") == b"one"
        proxy.disturb("cut", 0.5)
        with pytest.raises(ConnectionError):
            _until_it_breaks(connection)
        assert not _works(proxy)
        wait_until(lambda: _works(proxy), timeout=10, what="the proxy lets through again")


def test_a_stall_holds_everything_back_and_loses_nothing() -> None:
    with _proxy_to_an_echo() as proxy, socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as connection:
        assert _ask(connection, b"one") == b"one"
        proxy.disturb("stall", 0.6)
        started = time.monotonic()
        assert _ask(connection, b"two") == b"two"
        assert time.monotonic() - started > 0.4


def test_a_delay_makes_every_answer_late() -> None:
    with _proxy_to_an_echo() as proxy, socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as connection:
        assert _ask(connection, b"one") == b"one"
        proxy.disturb("delay", 30)
        started = time.monotonic()
        assert _ask(connection, b"two") == b"two"
        assert time.monotonic() - started >= DELAY_S


def test_a_trap_loses_the_very_message_that_holds_its_text_and_all_after_it() -> None:
    with _proxy_to_an_echo() as proxy, socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as connection:
        sprung = proxy.trap(b"two", "cut")
        assert _ask(connection, b"one") == b"one"
        assert not sprung.is_set()
        with pytest.raises(ConnectionError):
            _until_it_breaks(connection, b"two")
        assert sprung.is_set()
        assert not _works(proxy)
        proxy.calm()
        wait_until(lambda: _works(proxy), timeout=10, what="the proxy lets through again")


def _until_it_breaks(connection: socket.socket, text: bytes = b"?") -> None:
    while True:
        if _ask(connection, text) == b"":
            raise ConnectionResetError


def _works(proxy: Proxy) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as connection:
            return _ask(connection, b"?") == b"?"
    except OSError:
        return False
