"""A worker dies: another goes on from the last checkpoint, and the result is the same to the last bit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.recovery.cast import (
    FAST_LEASES,
    LONG,
    completed,
    kill_tree,
    load_sample,
    recoveries,
    show,
    start,
    tries,
    wait_checkpoint,
    wait_running,
    write_json,
)
from tests.support.stack import Stack

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.acceptance
HASHES = ("model_sha256", "trades_sha256", "equity_sha256")


@pytest.mark.scenario(12)
def test_a_killed_training_goes_on_from_its_checkpoint_to_the_same_bits(tmp_path: Path) -> None:
    with Stack(tmp_path / "data", environment=FAST_LEASES) as stack:
        load_sample(stack)
        disturbed = start(stack, *LONG)
        operation = wait_running(stack, disturbed, "training", unit=1)
        unit = wait_checkpoint(stack, operation)
        kill_tree(stack, "local-training-1")
        shown = completed(stack, disturbed)
        undisturbed = start(stack, "--strategy", str(_strategy(shown, tmp_path)))
        reference = completed(stack, undisturbed)

    lost, again = (one for one in shown["operations"] if one["kind"] == "training")
    assert tries(shown, "training") == [("failed", "orphaned"), ("completed", "")]
    assert (again["continues"], again["attempt"]) == (lost["id"], 2)
    assert again["resumed_from_unit"] >= unit
    assert recoveries(shown) == ["operation.orphaned", "operation.restarted"]
    assert tries(reference, "training") == [("completed", "")]
    for name in HASHES:
        assert shown[name] == reference[name] is not None


def _strategy(shown: dict[str, Any], folder: Path) -> Path:
    return write_json(folder / "strategy.json", shown["strategy"]["spec"])


@pytest.mark.scenario(20)
def test_a_failed_research_is_resumed_by_hand_and_one_that_is_not_is_refused(tmp_path: Path) -> None:
    environment = FAST_LEASES | {"KTRDR_MAX_ORPHANS": "1", "KTRDR_FAULTS": "worker.child.started=kill"}
    with Stack(tmp_path / "data", environment=environment) as stack:
        load_sample(stack)
        research = start(stack, "--set", "training.epochs=5")
        failed = _until_failed(stack, research)
        assert (failed["state"], failed["reason"]) == ("failed", "gave_up")
        assert tries(failed, "training") == [("failed", "crashed")] * len(tries(failed, "training"))

        stack.environment = {k: v for k, v in stack.environment.items() if k != "KTRDR_FAULTS"}
        stack.stop()
        stack.start()
        stack.manage("research", "resume", str(research))
        second = stack.manage("research", "resume", str(research), check=False)
        shown = completed(stack, research)

    assert second.returncode != 0
    assert "resumed" in second.stdout + second.stderr
    assert tries(shown, "design") == [("completed", "")]
    assert tries(shown, "training")[-1] == ("completed", "")


def _until_failed(stack: Stack, research: int) -> dict[str, Any]:
    from tests.acceptance.recovery.cast import wait_state

    wait_state(stack, research, "failed", timeout=60)
    return show(stack, research)
