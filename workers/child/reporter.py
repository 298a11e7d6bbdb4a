"""The `Reporter` of the child: notices go to the agent at once, files to the spool first."""

from __future__ import annotations

import hashlib
import re
import threading
import time
from typing import TYPE_CHECKING, Any

from workers import faults
from workers.child.plain import plain
from workers.durable import write_durably

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from workers.child.channel import Channel

PROGRESS_EVERY = 0.2
KEPT_CHECKPOINTS = 2
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class SpoolReporter:
    """`folder` is the operation's folder in the spool."""

    def __init__(self, channel: Channel, folder: Path) -> None:
        self._channel = channel
        self._folder = folder
        self._stop = threading.Event()
        self._told_at = float("-inf")
        self.last_progress: dict[str, Any] | None = None
        self.metrics: list[dict[str, Any]] = []
        self.artifacts: dict[str, dict[str, str | int]] = {}

    def progress(self, unit: int, units: int, message: str = "") -> None:
        """At most one notice in `PROGRESS_EVERY` seconds, but always the last unit; a unit that falls is held up."""
        unit = max(int(unit), self.last_progress["unit"] if self.last_progress else 0)
        fraction = min(unit / units, 1.0) if units > 0 else 0.0
        self.last_progress = {"unit": unit, "units": int(units), "fraction": fraction, "message": message[:200]}
        now = time.monotonic()
        if now - self._told_at >= PROGRESS_EVERY or unit >= units:
            self._told_at = now
            self._channel.send("progress", **self.last_progress)

    def metric(self, unit: int, values: Mapping[str, float]) -> None:
        point = {"unit": int(unit), "values": plain(values)}
        self.metrics.append(point)
        self._channel.send("metric", **point)

    def checkpoint(self, unit: int, payload: bytes) -> None:
        path = self._folder / "checkpoints" / f"{int(unit)}.ckpt"
        write_durably(path, payload)
        faults.point("worker.checkpoint.written")
        self._channel.send("checkpoint", unit=int(unit), size=len(payload))
        self._prune()

    def artifact(self, name: str, payload: bytes) -> None:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} cannot name an artifact: use letters, digits, dot, dash and underscore")
        write_durably(self._folder / "artifacts" / name, payload)
        self.artifacts[name] = {"sha256": hashlib.sha256(payload).hexdigest(), "size": len(payload)}
        faults.point("worker.artifact.written")

    def should_stop(self) -> bool:
        return self._stop.is_set()

    def ask_to_stop(self) -> None:
        self._stop.set()

    def _prune(self) -> None:
        files = sorted((self._folder / "checkpoints").glob("*.ckpt"), key=lambda path: int(path.stem))
        for path in files[:-KEPT_CHECKPOINTS]:
            path.unlink(missing_ok=True)
