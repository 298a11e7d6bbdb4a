"""Backtest: a worker trades the out-of-sample parts; a gate then says whether the result can be judged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from research.lifecycle.states import Kind, State, Status
from research.models import Artifact
from research.phases.base import External, Leaves, need
from research.phases.gates import backtest_gate
from research.phases.training import bars_of, holdout_of, strategy_spec
from workers.protocol import InputRef

if TYPE_CHECKING:
    from collections.abc import Mapping

    from research.models import Operation, Research


class Backtest(External):
    kind = Kind.BACKTEST

    def spec(self, research: Research) -> dict[str, Any]:
        return {"strategy": strategy_spec(research), **holdout_of(research)}

    def inputs(self, research: Research) -> list[InputRef]:
        model = Artifact.objects.get(
            operation__research=research, operation__kind=Kind.TRAINING, operation__status=Status.COMPLETED,
            name="model.safetensors",
        )  # fmt: skip
        path = f"/api/v1/operations/{model.operation_id}/artifacts/{model.name}"
        return [bars_of(research), InputRef(name="model", path=path, sha256=model.sha256, size=model.size)]

    def check(self, result: Mapping[str, Any]) -> None:
        need(result, "artifacts", "metrics", "trades_sha256", "equity_sha256")

    def leave(self, research: Research, operation: Operation) -> Leaves:
        gate = dict(backtest_gate(operation.result or {}))
        passed = "passed" if gate["passed"] else "did not pass"
        message = f"Research {research.pk} goes on to its assessment: the backtest {passed} its gate."
        return Leaves(State.ASSESSING, message, gates={"backtest": gate})
