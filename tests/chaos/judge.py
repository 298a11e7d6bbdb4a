"""Whether a chaos run ended well: every research complete and as if undisturbed, every invariant, nothing left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.acceptance.recovery.cast import query
from tests.chaos.undisturbed import HASHES, references

if TYPE_CHECKING:
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


def unfinished(stack: Stack) -> list[str]:
    """One line for each research that is not complete, and for each live operation."""
    found = [f"research {pk} is {state} {reason}: {why[:300]}" for pk, state, reason, why in query(stack, _UNFINISHED)]
    return found + [f"operation {row}" for row in query(stack, _STUCK)] if found else []


def invariants(stack: Stack) -> list[str]:
    done = stack.manage("recovery", "check", "--deep", check=False)
    return [] if done.returncode == 0 else [f"recovery check --deep: {done.stdout.strip()} {done.stderr.strip()}"]


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
