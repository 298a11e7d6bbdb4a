"""What a research comes to when nobody disturbs it: its engines called directly, once, from beginning to end.

`python -m tests.chaos.undisturbed` reads cases as JSON lines and answers each with its hashes, on one thread, as a
worker's child does: the number of threads must not be what a difference comes from.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ktrdr_site.environment import PROJECT
from workers import backtest, training
from workers.agent.children import ONE_THREAD
from workers.job import Job

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HASHES = ("model_sha256", "trades_sha256", "equity_sha256")


class Listener:
    """A `workers.job.Reporter` that keeps the artifacts and is never in a hurry."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def progress(self, unit: int, units: int, message: str = "") -> None: ...

    def metric(self, unit: int, values: Mapping[str, float]) -> None: ...

    def checkpoint(self, unit: int, payload: bytes) -> None: ...

    def artifact(self, name: str, payload: bytes) -> None:
        (self.folder / name).write_bytes(payload)

    def should_stop(self) -> bool:
        return False


def hashes(spec: Mapping[str, Any], seed: int, bars: Path) -> dict[str, str]:
    """`model_sha256`, `trades_sha256` and `equity_sha256` of one strategy, seed and file of bars."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = {"bars": bars}
        trained = training.run(Job(1, "training", {"strategy": spec}, seed, files=files), Listener(folder))
        files |= {"model": folder / "model.safetensors"}
        traded = backtest.run(Job(2, "backtest", {"strategy": spec}, seed, files=files), Listener(folder))
    found = trained | traded
    return {name: str(found[name]) for name in HASHES}


def references(cases: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """The hashes of cases {"spec", "seed", "bars"}, in their order, from processes of their own."""
    share = max(4, -(-len(cases) // (os.cpu_count() or 1)))
    shares = [cases[start : start + share] for start in range(0, len(cases), share)]
    with ThreadPoolExecutor() as pool:
        return [one for found in pool.map(_in_a_process, shares) for one in found]


def _in_a_process(cases: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos.undisturbed"], input="".join(json.dumps(one) + "\n" for one in cases),
        env=os.environ | dict.fromkeys(ONE_THREAD, "1"), cwd=PROJECT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"the undisturbed run failed:\n{done.stderr}"
    return [json.loads(line) for line in done.stdout.splitlines()]


if __name__ == "__main__":
    for line in sys.stdin:
        case = json.loads(line)
        sys.stdout.write(json.dumps(hashes(case["spec"], case["seed"], Path(case["bars"]))) + "\n")
