"""What a worker cannot go on with is said in a line, and its exit code tells it apart."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.support.processes import alive
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.worker.backend import Backend
    from tests.integration.worker.conftest import Start


def test_a_second_one_of_the_name_on_this_host_is_refused(backend: Backend, start: Start) -> None:
    first = start()
    backend.wait_calls(2)
    second = start()
    assert second.end() == 4
    assert f"another worker took the name w: process {first.agent.pid} of this host" in second.text
    backend.wait_calls(2)
    assert len({call.request.incarnation for call in backend.calls}) == 1, "it never called"


def test_superseded_it_kills_its_child_and_says_who_has_the_name(backend: Backend, start: Start) -> None:
    worker = start()
    backend.give(3, units=1000, pause=0.05)
    backend.wait_unit(3, 1)
    child = worker.child()
    backend.odd.extend([409] * 3)
    assert worker.end() == 4
    assert not alive(child.pid)
    assert "ERROR leaving: another worker took the name w: odd 409" in worker.text


def test_a_refused_token_ends_it(backend: Backend, start: Start) -> None:
    worker = start(token="wrong")
    assert worker.end() == 5
    assert "the backend refuses the token of w: This token is not valid." in worker.text
    assert "wrong" not in worker.text


def test_one_refusal_of_a_token_ends_nobody(backend: Backend, start: Start) -> None:
    start()
    backend.wait_calls(2)
    backend.odd.extend([401, 401])
    backend.wait_calls(3)
    assert not backend.odd


def test_the_token_may_stand_in_a_file_and_is_not_handed_to_the_engine(
    backend: Backend, start: Start, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text("right\n")
    worker = start("--token-file", str(file), token="ignored")
    [child] = wait_until(worker.children, what="it has called and warms up a child")
    wait_until(lambda: child.environ().get("PYTHONUNBUFFERED"), what="the child has begun")
    assert "KTRDR_TOKEN" not in child.environ()


def test_what_it_cannot_start_with_is_said_as_usage(start: Start) -> None:
    assert start(token="").end() == 2
    assert start("--token-file", os.devnull).end() == 2
    assert start("--kinds", "guessing").end() == 2
    assert start("--slots", "0").end() == 2
    worker = start(url="ftp://nowhere")
    assert worker.end() == 2
    for words in ("no usable token", "--kinds 'guessing'", "--slots 0: write 1 or more", "--url 'ftp://nowhere'"):
        assert words in worker.text
    assert "Traceback" not in worker.text
