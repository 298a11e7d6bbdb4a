"""Fault points of a running stack that act when a test arms them, once each time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path


class Faults:
    """Give `environment` to the stack; until it is armed, a point does nothing. See `workers.faults`."""

    def __init__(self, folder: Path, actions: dict[str, str]) -> None:
        folder.mkdir()
        self.folder = folder
        plan = ",".join(f"{point}={action}" for point, action in actions.items())
        self.environment = {"KTRDR_FAULTS": plan, "KTRDR_FAULTS_DIR": str(folder)}
        for point in actions:
            (folder / point).touch()  # a point whose marker is there has done what it was to do

    def arm(self, point: str) -> None:
        (self.folder / point).unlink()

    def wait(self, point: str, *, timeout: float = 60.0) -> None:
        """Wait until a process has met the armed point."""
        wait_until((self.folder / point).exists, timeout=timeout, what=f"a process came to {point}")
