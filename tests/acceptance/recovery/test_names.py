"""Who is the worker of a name, and which of its calls count: late ones, doubled ones, and those of a namesake."""

from __future__ import annotations

import signal
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.recovery.cast import (
    FAST_LEASES,
    completed,
    load_sample,
    query,
    recoveries,
    start,
    tries,
    wait_running,
)
from tests.acceptance.recovery.clusters import nothing_done_twice
from tests.acceptance.recovery.doubling import Doubling
from tests.acceptance.recovery.hosts import Host
from tests.chaos.proxy import Proxy
from tests.support.stack import Stack
from tests.support.waiting import wait_until
from workers.agent.state import EXIT_NAME_TAKEN

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.acceptance
SESSIONS = """SELECT s.confirmed_at IS NOT NULL FROM research_workersession s
              JOIN research_worker w ON w.id = s.worker_id WHERE w.name = 'far' ORDER BY s.id"""
REFUSED = "SELECT message FROM research_event WHERE code = 'worker.refused'"
STARTED = "SELECT operation_id FROM research_event WHERE research_id = %s AND code = 'operation.started'"
WORK = ("--set", "training.epochs=400", "--set", "training.patience=null")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    alone = ("--training-workers", "0", "--backtest-workers", "0")
    with Stack(tmp_path_factory.mktemp("names") / "data", environment=FAST_LEASES, arguments=alone) as stack:
        load_sample(stack)
        yield stack


@pytest.fixture
def slow(stack: Stack) -> Iterator[Proxy]:
    proxy = Proxy(stack.port)
    proxy.start()
    yield proxy
    proxy.stop()


@pytest.mark.scenario(35)
def test_a_late_call_of_the_dead_and_a_namesake_on_another_host_take_no_work_away(
    stack: Stack, slow: Proxy, tmp_path: Path
) -> None:
    token = stack.manage_json("workers", "create-token", "far")["token"]
    held = slow.trap(b"/workers/sync", "stall")
    with ExitStack() as everything:
        before = Host(stack, "far", tmp_path / "before", token=token, url=f"http://127.0.0.1:{slow.port}")
        dead = everything.enter_context(before)
        wait_until(held.is_set, what="its first call is under way")
        dead.process.send_signal(signal.SIGSTOP)  # to the others it is dead, and its connection was never closed
        worker = everything.enter_context(Host(stack, "far", tmp_path / "now", token=token))
        research = start(stack, *WORK)
        training = wait_running(stack, research, "training", unit=1)
        assert query(stack, SESSIONS) == [(True,)]
        slow.calm()
        wait_until(lambda: len(query(stack, SESSIONS)) == 2, what="the late first call of the dead one has come")
        with Host(stack, "far", tmp_path / "there", token=token, hostname="elsewhere") as namesake:
            assert namesake.process.wait(60) == EXIT_NAME_TAKEN, namesake.text
            assert "another worker took the name far: the name is in use on another host" in namesake.text
        shown = completed(stack, research)
        assert worker.process.poll() is None, worker.text

    assert query(stack, SESSIONS) == [(True,), (False,)]
    assert [one["id"] for one in shown["operations"] if one["kind"] == "training"] == [training]
    assert [one["status"] for one in shown["operations"]] == ["completed"] * 4
    assert recoveries(shown) == []
    assert "was refused: the name is in use on another host" in query(stack, REFUSED)[0][0]
    nothing_done_twice(stack)


@pytest.mark.scenario(45)
def test_doubled_calls_and_a_late_assignment_start_each_operation_once(stack: Stack, tmp_path: Path) -> None:
    token = stack.manage_json("workers", "create-token", "twice")["token"]
    with Doubling(stack.port) as doubling, Host(stack, "twice", tmp_path, token=token, url=doubling.url) as worker:
        shown = completed(stack, start(stack, *WORK))
        late, doubled, said = doubling.late, doubling.doubled, worker.text

    [training, backtest] = (one["id"] for one in shown["operations"] if one["kind"] in {"training", "backtest"})
    assert late == [training]
    assert doubled > 10
    for operation, kind in ((training, "training"), (backtest, "backtest")):
        assert said.count(f"operation {operation}: {kind} assigned") == 1, said
        assert said.count(f"operation {operation}: started in process") == 1, said
        assert query(stack, STARTED, shown["id"]).count((operation,)) == 1
    for kind in ("design", "training", "backtest", "assessment"):
        assert tries(shown, kind) == [("completed", "")]
    nothing_done_twice(stack)
