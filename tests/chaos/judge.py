"""Whether a chaos run ended well: every research complete and as if undisturbed, every invariant, nothing left."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Final

from ktrdr_site.environment import PROJECT
from tests.acceptance.recovery.cast import query
from tests.chaos.undisturbed import HASHES, references

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.support.stack import Stack

_UNFINISHED = "SELECT id, state, reason, message FROM research_research WHERE state <> 'completed' ORDER BY id"
_STUCK = """SELECT id, research_id, kind, status, attempt, unit, runner, started_at, lease_expires_at, not_before,
            rung_at FROM research_operation WHERE status IN ('queued', 'running') ORDER BY id"""
_CASES = """
SELECT r.id, r.seed, d.blob, s.spec, t.result ->> 'model_sha256', b.result ->> 'trades_sha256',
       b.result ->> 'equity_sha256'
FROM research_research r JOIN research_dataset d ON d.id = r.dataset_id JOIN research_strategy s ON s.id = r.strategy_id
JOIN research_operation t ON t.research_id = r.id AND t.kind = 'training' AND t.status = 'completed'
JOIN research_operation b ON b.research_id = r.id AND b.kind = 'backtest' AND b.status = 'completed'
WHERE r.state = 'completed' ORDER BY r.id"""

# Breaches that say that something counted twice, or began twice.
TWICE: Final = frozenset({"one_completed_operation", "one_live_operation", "one_runner", "one_trial", "one_leader"})


def unfinished(stack: Stack) -> list[str]:
    """One line for each research that is not complete, and for each live operation."""
    found = [f"research {pk} is {state} {reason}: {why[:300]}" for pk, state, reason, why in query(stack, _UNFINISHED)]
    return found + [f"operation {row}" for row in query(stack, _STUCK)] if found else []


def breaches(stack: Stack) -> list[dict[str, Any]]:
    """What `recovery check --deep` finds broken: `invariant`, `subject`, `what` and more."""
    done = stack.manage("recovery", "check", "--deep", "--json", check=False)
    assert done.stdout, f"recovery check said nothing: {done.stderr}"
    report = json.loads(done.stdout)
    assert report["clean"] == (done.returncode == 0), f"exit code {done.returncode}: {done.stdout}"
    found: list[dict[str, Any]] = report["breaches"]
    return found


def words(found: Sequence[dict[str, Any]]) -> list[str]:
    return [f"recovery check --deep: {one['subject']} {one['what']} ({one['invariant']})" for one in found]


def duplicates(found: Sequence[dict[str, Any]]) -> list[str]:
    return words([one for one in found if one["invariant"] in TWICE])


def cases(stack: Stack) -> list[dict[str, Any]]:
    """Of every completed research what decides its result, and the hashes it came to (those `research show` shows)."""
    names = ("id", "seed", "bars", "spec", *HASHES)
    found = [dict(zip(names, row, strict=True)) for row in query(stack, _CASES)]
    return [case | {"bars": str(stack.data_dir / "blobs" / case["bars"])} for case in found]


def differences(found: list[dict[str, Any]]) -> list[str]:
    """Where a result is not that of the undisturbed run."""
    return [
        f"research {case['id']} (seed {case['seed']}): {name} is {case[name]}, undisturbed {reference[name]}"
        for case, reference in zip(found, references(found), strict=True)
        for name in HASHES
        if case[name] != reference[name]
    ]


def thought_again(stack: Stack) -> list[str]:
    """Where a design or an assessment is not what its seed and its memory lead to; see `tests.chaos.again`."""
    done = subprocess.run([sys.executable, "-m", "tests.chaos.again"], env=stack.environment, cwd=PROJECT,
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == 0, f"the phases could not be run again:\n{done.stderr}"
    return done.stdout.splitlines()
