"""Seconds from a death to what goes on instead: a design's process, the backend, the leader, a wedged cluster."""

from __future__ import annotations

import random
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import psutil

from scripts.bench.figures import Figure
from scripts.bench.inside.stage import kill, stage
from tests.acceptance.recovery.cast import kill_backend
from tests.acceptance.recovery.clusters import reader
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scripts.bench.inside.stage import Stage

DESIGNS, BACKENDS, POWER_CUTS, LEADERS, WEDGED = 50, 4, 1, 4, 2
SLOTS = 4  # designs that run at once where several are lost together
DB_GRACE = 10.0

_LOST = """SELECT extract(epoch FROM o.ended_at)::float8, extract(epoch FROM n.started_at)::float8
           FROM research_operation o JOIN research_operation n ON n.continues_id = o.id
           WHERE o.id = %s AND o.reason = 'orphaned' AND n.started_at IS NOT NULL"""


def figures() -> Iterator[Figure]:
    yield from _designs()
    yield from _backends()
    yield _leaders()
    yield _wedged()


def _designs() -> Iterator[Figure]:
    known, again = [], []
    with stage() as one:
        for _ in range(DESIGNS):
            one.arm()
            one.start()
            [(operation, pid)] = one.wait_running(1).items()
            wait_until(one.paused, what="the design is in the middle of its work", interval=0.01)
            time.sleep(random.uniform(0, 0.5))  # noqa: S311 - anywhere between two looks of the leader
            at = kill(pid)
            [(ended, started)] = wait_until(lambda: one.rows(_LOST, operation), what="the design runs again")  # noqa: B023
            known.append(ended - at)
            again.append(started - at)
            one.wait_running(0)
    note = "one design at a time, killed with SIGKILL; by the database's times"
    yield Figure("design's process killed, until its orphan is known", known, "s", {"p99": 0.3}, note)
    yield Figure("design's process killed, until a new one runs", again, "s", {"p50": 0.6, "p99": 1.2}, note)


def _backends() -> Iterator[Figure]:
    with stage(every_design=True) as one:
        for _ in range(SLOTS):
            one.start()
        samples = [_backend(one) for _ in range(BACKENDS)]
        yield Figure(
            f"web and cluster killed and started again, until {SLOTS} designs run again", samples, "s", {"worst": 3.0},
            "from when the supervisor has started both; PostgreSQL stayed up",
        )  # fmt: skip
        yield Figure(
            f"everything killed and started again, until {SLOTS} designs run again",
            [_power_cut(one) for _ in range(POWER_CUTS)], "s", {"worst": DB_GRACE + 3.0},
            "from when PostgreSQL accepts; KTRDR_DB_GRACE is 10 s",
        )  # fmt: skip


def _backend(one: Stage) -> float:
    lost = one.wait_running(SLOTS)
    old = {role: one.stack.pids(role) for role in ("web", "cluster")}
    kill(*old["web"], *old["cluster"])
    new = [pid for role, pids in old.items() for pid in one.stack.wait_restarted(role, pids)]
    began = max(psutil.Process(pid).create_time() for pid in new)
    took = max(one.again(lost)) - began
    _forget_back_off(one)
    return took


def _forget_back_off(one: Stage) -> None:
    """The next loss is to be the first in a row: all designs are replaced by those of new researches."""
    one.rows("UPDATE research_research SET counted_from = (SELECT max(id) FROM research_operation) RETURNING id")


def _power_cut(one: Stage) -> float:
    lost = one.wait_running(SLOTS)
    kill_backend(one.stack)
    one.stack.start()
    accepts = one.rows("SELECT extract(epoch FROM backend_start)::float8 FROM pg_stat_activity"
                       " WHERE backend_type = 'walwriter'")  # fmt: skip
    return max(one.again(lost)) - float(accepts[0][0])


def _leaders() -> Figure:
    """Two clusters; the leader's is killed, and another takes its place for the next turn."""
    samples = []
    with stage(arguments=("--no-research",)) as one, ExitStack() as clusters:
        logs = one.stack.data_dir / "logs"
        running = [clusters.enter_context(one.cluster(logs / f"bench-{n}.log")) for n in range(2)]
        for turn in range(LEADERS):
            one.start()
            one.wait_running(1)
            [(term, label)] = wait_until(lambda: one.rows(_LEADS), what="somebody leads")
            at = kill(next(each.pid for each in running if label.endswith(f"pid {each.pid}")))
            [(decided,)] = wait_until(lambda: one.rows(_DECIDES, term), what="a new leader decides")  # noqa: B023
            samples.append(decided - at)
            running.append(clusters.enter_context(one.cluster(logs / f"bench-{turn + 2}.log")))
    return Figure("leader's cluster lost, until another leads", samples, "s", {"worst": 5.0}, "two clusters")


_LEADS = """SELECT t.id, c.label FROM research_term t JOIN research_cluster c ON c.id = t.cluster
            WHERE t.ended_at IS NULL AND t.lease_expires_at > clock_timestamp()"""
_DECIDES = "SELECT extract(epoch FROM min(started_at))::float8 FROM research_term WHERE id > %s HAVING count(*) > 0"


def _wedged() -> Figure:
    samples = []
    with stage(every_design=True) as one:
        for _ in range(2):
            one.start()
        for _ in range(WEDGED):
            lost = one.wait_running(2)
            at = kill(reader(one.stack.pid("cluster")))
            samples.append(max(one.again(lost)) - at)
            _forget_back_off(one)
    return Figure(
        "wedged cluster: holder of the queue's read lock killed, until 2 designs run again", samples, "s",
        {"worst": 15.0}, "from the kill",
    )  # fmt: skip
