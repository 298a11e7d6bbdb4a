"""Work held in its middle for as long as a test needs: slow work, so to speak, that is slow just where it matters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path


@dataclass
class Holds:
    """Fault points (`training.epoch`, or `training.epoch@5`: at the fifth passage) at which the first process waits.

    Give `environment` to those it is for. Every other process passes, and each one after `release()`.
    """

    folder: Path
    points: tuple[str, ...]

    @property
    def environment(self) -> dict[str, str]:
        self.folder.mkdir(parents=True, exist_ok=True)
        faults = ",".join(f"{name}=hold{at}{when}" for name, at, when in (one.partition("@") for one in self.points))
        return {"KTRDR_FAULTS": faults, "KTRDR_FAULTS_DIR": str(self.folder)}

    def wait(self, point: str) -> None:
        """Until a process is held there."""
        wait_until((self.folder / point).exists, timeout=120, what=f"a process is held at {point}")

    def release(self, point: str) -> None:
        (self.folder / f"{point}.go").touch()

    def again(self, point: str) -> None:
        """Hold the next process that passes."""
        for name in (f"{point}.go", point):
            (self.folder / name).unlink(missing_ok=True)
