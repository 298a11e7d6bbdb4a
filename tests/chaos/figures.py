"""What a chaos run came to, in numbers, from the database and the list of strikes."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tests.acceptance.recovery.cast import query

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from tests.chaos.strikes import Strike, Striker
    from tests.support.stack import Stack

_OPERATIONS: Final = """
SELECT o.id, o.kind, o.status, o.reason, o.runner_pid, coalesce(w.name, ''), o.unit, o.resumed_from_unit,
       o.continues_id, extract(epoch FROM o.started_at)::float8, extract(epoch FROM o.ended_at)::float8,
       (SELECT e.data ->> 'signal' FROM research_event e WHERE e.operation_id = o.id AND e.code = 'operation.orphaned')
FROM research_operation o LEFT JOIN research_worker w ON w.id = o.worker_id ORDER BY o.id"""
_NAMES: Final = (
    "id", "kind", "status", "reason", "pid", "worker", "unit", "resumed", "continues", "started", "ended", "signal",
)  # fmt: skip
_TROUBLE = re.compile(rb"^(?:[\w.]+\.)?(?:\w+(?:Error|Exception)|Deposed|Lost|StaleOperation)\b.*", re.MULTILINE)
_BY_DATABASE = re.compile(r"OperationalError|InterfaceError|AdminShutdown|ConnectionReset|BrokenPipe|CrashShutdown")


@dataclass(slots=True)
class Figures:
    """Per kind of process, seconds from its kill: `known`, to the end of the operation that it ended; `latencies`, to
    the start of the one that goes on, the wait for a free worker included; `falls`, to the end of all it had started.
    """

    strikes: Counter[tuple[str, str]]
    ends: Counter[tuple[str, str, str]]
    orphans: Counter[tuple[str, str]]  # signal, kind of operation
    recovered: int = 0
    operations: int = 0
    units: dict[str, tuple[int, int]] = field(default_factory=dict)  # kind: done, of those again
    known: dict[str, list[float]] = field(default_factory=dict)
    latencies: dict[str, list[float]] = field(default_factory=dict)
    falls: dict[str, list[float]] = field(default_factory=dict)
    troubles: Counter[str] = field(default_factory=Counter)


def gather(stack: Stack, striker: Striker, logs: Iterable[Path]) -> Figures:
    strikes = striker.strikes
    rows = [dict(zip(_NAMES, row, strict=True)) for row in query(stack, _OPERATIONS)]
    known, latencies = _latencies(rows, strikes)
    return Figures(
        strikes=Counter((one.action, one.kind) for one in strikes),
        ends=Counter((row["kind"], row["status"], row["reason"] or "") for row in rows),
        orphans=Counter((row["signal"] or "unsaid", row["kind"]) for row in rows if row["reason"] == "orphaned"),
        recovered=sum(row["continues"] is not None for row in rows),
        operations=len(rows),
        units=_work(rows),
        known=known,
        latencies=latencies,
        falls=striker.falls.seconds,
        troubles=troubles(logs),
    )


def _work(rows: Sequence[dict[str, Any]]) -> dict[str, tuple[int, int]]:
    """Units done and units done again. A lost try stood at least where it was last reported to stand."""
    found: dict[str, tuple[int, int]] = {}
    by_id = {row["id"]: row for row in rows}
    for row in rows:
        done, again = found.get(row["kind"], (0, 0))
        start = row["resumed"] or 0
        before = by_id.get(row["continues"])
        lost = max(0, before["unit"] - start) if before else 0
        found[row["kind"]] = (done + max(0, row["unit"] - start), again + lost)
    return found


def _latencies(
    rows: Sequence[dict[str, Any]], strikes: Sequence[Strike]
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Only kills that ended an operation, and what continued it: how late its end was known, and the next began."""
    after = {row["continues"]: row for row in rows if row["continues"] is not None}
    kills = sorted((one for one in strikes if one.is_kill), key=lambda one: one.at)
    known: dict[str, list[float]] = {}
    found: dict[str, list[float]] = {}
    for row in rows:
        successor = after.get(row["id"])
        strike = next((one for one in reversed(kills) if _ended(one, row)), None)
        if strike and successor and successor["started"]:
            known.setdefault(strike.kind, []).append(row["ended"] - strike.at)
            found.setdefault(strike.kind, []).append(successor["started"] - strike.at)
    return known, found


def _ended(strike: Strike, row: dict[str, Any]) -> bool:
    """Whether the operation ran on what was killed, and did not survive it."""
    pids = {strike.pid, *strike.below}
    own = row["pid"] in pids if row["pid"] else bool(strike.worker) and row["worker"] == strike.worker
    lost = row["status"] == "failed" and row["started"] is not None
    return bool(own and lost and row["started"] <= strike.at <= row["ended"])


def troubles(logs: Iterable[Path]) -> Counter[str]:
    """Last lines of tracebacks that a lost database does not explain: to be read, not to be judged."""
    found: Counter[str] = Counter()
    for log in logs:
        for line in _TROUBLE.findall(log.read_bytes()):
            text = line.decode(errors="replace")[:160]
            if not _BY_DATABASE.search(text):
                found[f"{log.stem}: {re.sub(r'[0-9]+', 'N', text)}"] += 1
    return found


def quantile(values: Sequence[float], share: float) -> float:
    """Of the sorted values the one at `share` (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
