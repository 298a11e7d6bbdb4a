"""What an accepted result leaves, written in the transaction that moves the research on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from research.lifecycle.states import State
from research.models import Strategy, Trial
from research.services import pruning, researches
from workers import strategy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from research.models import Operation, Research
    from research.phases.base import Leaves
    from research.services.change import Change


def absorb(record: Change, research: Research, operation: Operation, leaves: Leaves) -> None:
    """Write what the phase leaves and go on to the next state; each result is absorbed once."""
    fields: dict[str, Any] = {}
    if leaves.strategy is not None:
        fields["strategy"] = _strategy(leaves.strategy, leaves.origin)
    if leaves.lineage:
        fields["lineage"] = dict(leaves.lineage)
    if leaves.gates:
        fields["gates"] = {**research.gates, **leaves.gates}
        for phase, gate in leaves.gates.items():
            _gate_event(record, research, operation, phase, gate)
    if leaves.trial is not None:
        Trial.objects.create(research_id=research.pk, **leaves.trial)
    if leaves.state == State.COMPLETED:
        researches.complete(record, research, verdict=leaves.verdict or {}, metrics=leaves.metrics or {})
        pruning.release(research.pk)
    else:
        researches.move_on(record, research, leaves.state, leaves.message, **fields)


def _gate_event(
    record: Change, research: Research, operation: Operation, phase: str, gate: Mapping[str, Any]
) -> None:  # fmt: skip
    word = "passed" if gate["passed"] else "did not pass"
    failed = "; ".join(check["text"] for check in gate.get("checks", []) if not check["passed"])
    record.event(
        "research", "gate." + ("passed" if gate["passed"] else "failed"),  # type: ignore[arg-type]
        f"The {phase} of research {research.pk} {word} its gate{': ' + failed if failed else '.'}",
        research=research, operation=operation, gate=gate,
    )  # fmt: skip


def _strategy(spec: Mapping[str, Any], origin: str) -> Strategy:
    parsed = strategy.parse(dict(spec))
    row, _ = Strategy.objects.get_or_create(
        sha256=strategy.strategy_sha256(parsed), defaults={"name": parsed.name, "origin": origin, "spec": dict(spec)}
    )
    return row
