"""A figure: samples of one thing, summarised, beside what it should reach; and the machine it was taken on."""

from __future__ import annotations

import os
import platform
import statistics
import sys
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """Samples of one thing, in `unit`. `goals` maps a statistic (p50, p99, worst, mean) to the most it may be.

    `note` says the conditions (how many, on what, against which baseline of the same run).
    """

    what: str
    samples: list[float]
    unit: str = "s"
    goals: dict[str, float] = field(default_factory=dict)
    note: str = ""

    def statistic(self, name: str) -> float:
        """p50, p99 (nearest rank), worst or mean. Raises `ValueError` without samples."""
        if not self.samples:
            raise ValueError(f"no samples of {self.what}")
        ordered = sorted(self.samples)
        named = {"worst": ordered[-1], "mean": statistics.fmean(ordered), "p50": statistics.median(ordered)}
        return named[name] if name in named else ordered[max(0, -(-len(ordered) * int(name[1:]) // 100) - 1)]

    @property
    def reached(self) -> bool:
        return all(self.statistic(name) <= most for name, most in self.goals.items())

    def line(self) -> str:
        """One line of text: what, statistics with their goals, number of samples."""
        names = list(self.goals) or ["p50"]
        parts = [self._part(name) for name in [*names, *(["worst"] if "worst" not in names else [])]]
        mark = ("reached" if self.reached else "NOT REACHED") if self.goals else "no goal"
        said = f"{self.what}: {', '.join(parts)}; n={len(self.samples)}; {mark}"
        return f"{said}\n    {self.note}" if self.note else said

    def _part(self, name: str) -> str:
        goal = f" (goal {self.goals[name]:g})" if name in self.goals else ""
        return f"{name} {self.statistic(name):.3g} {self.unit}{goal}"


def machine() -> str:
    """The machine and its present load, in a line."""
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{_processor()}, {os.cpu_count()} cores, {memory:.0f} GiB, Python {platform.python_version()}, load {load}"


def _processor() -> str:
    models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return models[0].split(":")[1].strip() if models else platform.machine()


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
