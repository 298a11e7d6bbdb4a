"""The report of a chaos run, as text and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from tests.chaos.figures import Figures, quantile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.chaos.course import Outcome

MOST_LINES = 40


def text(outcome: Outcome) -> str:
    seconds = ", ".join(f"{what} {took:.0f} s" for what, took in outcome.seconds.items())
    lines = [f"seed {outcome.plan.seed}: {outcome.kills} kills, {outcome.researches} researches complete ({seconds})"]
    if outcome.figures is not None:
        lines += _figures(outcome.figures)
    if outcome.broken:
        more = [f"  and {len(outcome.broken) - MOST_LINES} more"] if len(outcome.broken) > MOST_LINES else []
        lines += ["BROKEN", *(f"  {what}" for what in outcome.broken[:MOST_LINES]), *more]
        lines += [f"  seed {outcome.plan.seed}; logs: {outcome.root}"]
    else:
        lines.append("clean: all complete, equal to their undisturbed runs, every invariant holds, no process left")
    return "\n".join(lines)


def as_dict(outcome: Outcome) -> dict[str, Any]:
    """JSON-ready. Times are seconds; `known`, `goes_on` and `gone` are {"n", "p50", "p99", "most"} by victim."""
    said = {
        "plan": asdict(outcome.plan), "clean": not outcome.broken, "broken": outcome.broken,
        "duplicates": outcome.duplicates, "kills": outcome.kills, "researches": outcome.researches,
        "seconds": {what: round(took, 1) for what, took in outcome.seconds.items()},
    }  # fmt: skip
    return said | (_figures_as_dict(outcome.figures) if outcome.figures is not None else {})


def _figures_as_dict(found: Figures) -> dict[str, Any]:
    return {
        "strikes": {f"{action} {kind}": count for (action, kind), count in found.strikes.items()},
        "operations": found.operations,
        "recovered": found.recovered,
        "ends": {f"{reason or status} {kind}": count for (kind, status, reason), count in found.ends.items()},
        "orphans": {f"{signal} {kind}": count for (signal, kind), count in found.orphans.items()},
        "units": {kind: {"done": done, "again": again} for kind, (done, again) in found.units.items()},
        "known": {kind: _summary(values) for kind, values in found.known.items()},
        "goes_on": {kind: _summary(values) for kind, values in found.latencies.items()},
        "gone": {kind: _summary(values) for kind, values in found.falls.items()},
        "troubles": dict(found.troubles.most_common(50)),
    }


def _figures(found: Figures) -> list[str]:
    kills = {kind: count for (action, kind), count in found.strikes.items() if action == "kill"}
    others = {f"{action} {kind}": count for (action, kind), count in found.strikes.items() if action != "kill"}
    causes = {f"{reason or status} {kind}": count for (kind, status, reason), count in found.ends.items()}
    orphans = {f"{signal} ({kind})": count for (signal, kind), count in found.orphans.items()}
    lines = [
        f"killed: {_counts(kills)}",
        f"other strikes: {_counts(others)}",
        f"operations: {found.operations}, of which {found.recovered} go on from another; {_counts(causes)}",
        f"orphans by the signal that told: {_counts(orphans)}",
    ]
    for kind, (done, again) in sorted(found.units.items()):
        lines.append(f"work, {kind}: {done} units done, {again} of them again ({again / max(done, 1):.1%})")
    lines += [_latencies("whatever was killed", _all(found.known), _all(found.latencies))]
    lines += [_latencies(kind, found.known[kind], values) for kind, values in sorted(found.latencies.items())]
    for kind, seconds in sorted(found.falls.items()):
        lines.append(f"all that a killed {kind} had started is gone, {len(seconds)}: {_spread(seconds)}")
    lines += [f"in a log: {count} × {what}" for what, count in found.troubles.most_common(12)]
    return lines


def _latencies(kind: str, known: Sequence[float], goes_on: Sequence[float]) -> str:
    if not known:
        return f"kill of {kind} that ended an operation: none"
    return f"kill of {kind} that ended an operation, {len(known)}: known {_spread(known)}; goes on {_spread(goes_on)}"


def _all(by_kind: Mapping[str, Sequence[float]]) -> list[float]:
    return [one for values in by_kind.values() for one in values]


def _summary(seconds: Sequence[float]) -> dict[str, float]:
    p50, p99 = (round(quantile(seconds, share), 3) for share in (0.5, 0.99))
    return {"n": len(seconds), "p50": p50, "p99": p99, "most": round(max(seconds), 3)}


def _spread(seconds: Sequence[float]) -> str:
    return f"p50 {quantile(seconds, 0.5):.2f} s, p99 {quantile(seconds, 0.99):.2f} s"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {what}" for what, count in sorted(counts.items(), key=lambda one: -one[1])) or "none"
