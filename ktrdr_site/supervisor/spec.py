"""What to keep running: one declaration per process."""

from __future__ import annotations

import signal
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """One process. `role` groups those that do the same (`worker`), `name` is unique and names its log."""

    name: str
    role: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    ready: Callable[[], bool] | None = None  # asked again and again after a start; None: ready when it runs
    once: bool = False  # ends by itself, and with exit code 0 is done
    critical: bool = False  # without it nothing else is started
    show_all: bool = False  # every line to the terminal, not only warnings
    terminal: bool = False  # speaks to the terminal itself and has no log: it prints what no file may keep
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL  # what it gets when the supervisor dies
    alarming: str = r"\b(WARNING|ERROR|CRITICAL|FATAL|PANIC)\b|Traceback"  # lines shown even without --verbose
