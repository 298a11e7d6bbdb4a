"""Training: a worker fits the model of each fold; a gate then says whether it learned anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from research.lifecycle.states import Kind, State
from research.phases.base import External, Leaves, need
from research.phases.gates import training_gate
from workers.protocol import InputRef

if TYPE_CHECKING:
    from collections.abc import Mapping

    from research.models import Operation, Research


def strategy_spec(research: Research) -> dict[str, Any]:
    """The specification in force: the designed one, or the one given."""
    return dict(research.strategy.spec if research.strategy else research.given or {})


def holdout_of(research: Research) -> dict[str, Any]:
    """Where the hold-out begins, Unix seconds, and whether this research is the one that opens it."""
    if research.holdout_from is None:
        return {}
    opened = research.holdout_of_id is not None
    return {"holdout": {"begins": int(research.holdout_from.timestamp()), "opened": opened}}


def bars_of(research: Research) -> InputRef:
    dataset = research.dataset
    return InputRef(name="bars", path=f"/api/v1/datasets/{dataset.sha256}", sha256=dataset.sha256, size=dataset.size)


class Training(External):
    kind = Kind.TRAINING

    def spec(self, research: Research) -> dict[str, Any]:
        return {"strategy": strategy_spec(research), **holdout_of(research)}

    def inputs(self, research: Research) -> list[InputRef]:
        return [bars_of(research)]

    def check(self, result: Mapping[str, Any]) -> None:
        need(result, "artifacts", "model_sha256", "finite")
        need(result["artifacts"], "model.safetensors")

    def leave(self, research: Research, operation: Operation) -> Leaves:
        """A failed gate teaches too: the backtest still runs. Only weights that are not finite skip it."""
        result = operation.result or {}
        gate = dict(training_gate(result))
        spec, origin = (None, "") if research.strategy else (strategy_spec(research), "given")
        if not result["finite"]:
            gate["skip_backtest"] = True
            message = f"Research {research.pk} goes on to its assessment: the trained weights are not finite."
            return Leaves(State.ASSESSING, message, gates={"training": gate}, strategy=spec, origin=origin)
        passed = "passed" if gate["passed"] else "did not pass"
        message = f"Research {research.pk} goes on to its backtest: training {passed} its gate."
        return Leaves(State.BACKTESTING, message, gates={"training": gate}, strategy=spec, origin=origin)
