"""The report of a chaos run, as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.chaos.figures import Figures, quantile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.chaos.course import Outcome


def text(outcome: Outcome) -> str:
    seconds = ", ".join(f"{what} {took:.0f} s" for what, took in outcome.seconds.items())
    lines = [f"seed {outcome.plan.seed}: {outcome.kills} kills, {outcome.researches} researches complete ({seconds})"]
    if outcome.figures is not None:
        lines += _figures(outcome.figures)
    if outcome.broken:
        lines += [
            "BROKEN",
            *(f"  {what}" for what in outcome.broken),
            f"  seed {outcome.plan.seed}; logs: {outcome.root}",
        ]
    else:
        lines.append("clean: all complete, equal to their undisturbed runs, every invariant holds, no process left")
    return "\n".join(lines)


def _figures(found: Figures) -> list[str]:
    kills = {kind: count for (action, kind), count in found.strikes.items() if action == "kill"}
    others = {f"{action} {kind}": count for (action, kind), count in found.strikes.items() if action != "kill"}
    causes = {f"{reason or status} {kind}": count for (kind, status, reason), count in found.ends.items()}
    lines = [
        f"kills: {_counts(kills)}",
        f"other strikes: {_counts(others)}",
        f"operations: {found.operations}, of which {found.recovered} go on from another; {_counts(causes)}",
        f"orphans by signal: {_counts(dict(found.orphans))}",
    ]
    for kind, (done, again) in sorted(found.units.items()):
        lines.append(f"work, {kind}: {done} units done, {again} of them again ({again / max(done, 1):.1%})")
    for kind, values in sorted(found.latencies.items()):
        known = _spread(found.known[kind])
        lines.append(f"kill of {kind} that ended an operation, {len(values)}: known {known}; goes on {_spread(values)}")
    lines += [f"in a log: {count} × {what}" for what, count in found.troubles.most_common(12)]
    return lines


def _spread(seconds: Sequence[float]) -> str:
    return f"p50 {quantile(seconds, 0.5):.2f} s, p99 {quantile(seconds, 0.99):.2f} s"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {what}" for what, count in sorted(counts.items(), key=lambda one: -one[1])) or "none"
