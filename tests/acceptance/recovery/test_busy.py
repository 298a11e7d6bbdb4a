"""Nothing is concluded from work that takes long, nor from a database that was away for a moment."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import psycopg
import pytest

from ktrdr_site.localpg import address
from tests.acceptance.recovery.cast import (
    FAST_LEASES,
    MARKET,
    completed,
    load_sample,
    query,
    recoveries,
    start,
    tries,
    wait_running,
)
from tests.acceptance.recovery.clusters import frozen, leader, nothing_done_twice, runner
from tests.acceptance.recovery.faults import Faults
from tests.support.stack import Stack
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.acceptance
TINY = ("--set", "training.epochs=3", "--set", "training.patience=null")
BUSY = 13  # seconds; a cluster of which nothing comes to an end for 10 s is taken for wedged
RUNNING = "SELECT id FROM research_operation WHERE research_id = ANY(%s) AND kind = 'design' AND status = 'running'"
CLUSTERS = "SELECT count(*) FROM research_cluster"
WAITED = """SELECT started_at > (SELECT min(ended_at) FROM research_operation WHERE id = ANY(%s))
            FROM research_operation WHERE research_id = ANY(%s) AND kind = 'design' AND id <> ALL(%s)"""
STATUS = "SELECT status FROM research_operation WHERE id = %s"


@pytest.fixture(scope="module")
def faults(tmp_path_factory: pytest.TempPathFactory) -> Faults:
    pauses = {"design.claimed": f"pause:{BUSY}", "design.designed": f"pause:{BUSY}", "design.stored": "pause:5"}
    return Faults(tmp_path_factory.mktemp("busy") / "faults", pauses)


@pytest.fixture(scope="module")
def stack(faults: Faults) -> Iterator[Stack]:
    """Two phase slots, and leases of phases that outlast what these tests do to them."""
    own = {"KTRDR_PHASE_SLOTS": "2", "KTRDR_PHASE_LEASE": "30", "KTRDR_DB_GRACE": "20"}
    with Stack(faults.folder.parent / "data", environment=FAST_LEASES | faults.environment | own) as stack:
        load_sample(stack)
        yield stack


@pytest.mark.scenario(41)
def test_a_design_outlives_the_crash_of_somebody_elses_database_session(stack: Stack, faults: Faults) -> None:
    """PostgreSQL ends every session then, and every lock with it, while the postmaster stays."""
    faults.arm("design.stored")
    research = start(stack, *TINY)
    design = wait_running(stack, research, "design")
    faults.wait("design.stored")
    before = leader(stack)
    with frozen(runner(stack, design)):  # it takes its lock again only when it has been looked at without one
        _crash_a_session(stack)
        after = leader(stack, after=before.term)
        wait_until(lambda: _ticked(stack, after.term), what="the leader has looked at it for a while")
        assert query(stack, STATUS, design) == [("running",)]

    shown = completed(stack, research)
    assert tries(shown, "design") == [("completed", "")]
    assert recoveries(shown) == []
    assert query(stack, "SELECT amnesty_reason FROM research_term WHERE id = %s", after.term) == [
        ("PostgreSQL restarted",)
    ]
    nothing_done_twice(stack)


@pytest.mark.scenario(43)
def test_a_cluster_whose_slots_are_all_busy_for_long_is_not_wedged_and_leads_on(stack: Stack, faults: Faults) -> None:
    main, clusters = stack.pid("cluster"), query(stack, CLUSTERS)
    for point in ("design.claimed", "design.designed"):  # each keeps the first design that comes there
        faults.arm(point)
    started = stack.manage_json("research", "start", "Follow the trend", *MARKET, *TINY, "--count", "3")
    ids = [one["id"] for one in started]
    for point in ("design.claimed", "design.designed"):
        faults.wait(point)
    designs = [pk for [pk] in query(stack, RUNNING, ids)]
    assert len(designs) == 2
    shown = [completed(stack, research) for research in ids]

    assert (stack.pid("cluster"), query(stack, CLUSTERS)) == (main, clusters)
    assert _led_meanwhile(stack, designs) == {main}
    assert [tries(one, "design") for one in shown] == [[("completed", "")]] * 3
    assert query(stack, WAITED, designs, ids, designs) == [(True,)], "the third had to wait for a slot"
    nothing_done_twice(stack)


def _crash_a_session(stack: Stack) -> None:
    """SIGKILL the server process of a session that nobody else has to do with."""
    entry = address(stack.data_dir)
    where = {"host": entry["HOST"], "port": entry["PORT"], "user": entry["USER"], "dbname": entry["NAME"]}
    with psycopg.connect(**where) as session:
        os.kill(session.info.backend_pid, signal.SIGKILL)
        with pytest.raises(psycopg.OperationalError):
            session.execute("SELECT pg_sleep(60)")


def _ticked(stack: Stack, term: int) -> bool:
    """It has led for a second, in which it looked at every in-process phase some ten times."""
    sql = "SELECT 1 FROM research_term WHERE id = %s AND ticked_at > started_at + interval '1 s'"
    return bool(query(stack, sql, term))


def _led_meanwhile(stack: Stack, designs: list[int]) -> set[int]:
    """Main processes of the clusters that led at any time while these designs ran."""
    sql = """SELECT DISTINCT split_part(split_part(t.label, ' pid ', 2), ',', 1)::int
             FROM research_term t, research_operation o
             WHERE o.id = ANY(%s) AND t.started_at < o.ended_at AND t.ticked_at > o.started_at"""
    return {pid for [pid] in query(stack, sql, designs)}
