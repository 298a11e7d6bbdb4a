"""`make bench`: every figure with its goal, and the machine. `ARGS="worker sync"` takes only those topics.

A topic is a module of this package with `figures() -> Iterator[Figure]`; one that needs a running KTRDR starts it.
"""

from __future__ import annotations

import argparse
import importlib
import time
from pathlib import Path

from scripts.bench.figures import machine, say

NOT_TOPICS = {"__init__", "__main__", "figures"}


def topics() -> list[str]:
    return sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem not in NOT_TOPICS)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m scripts.bench", description=__doc__)
    parser.add_argument("topics", nargs="*", help=f"of {', '.join(topics())}; all without any")
    wanted = parser.parse_args().topics or topics()
    missed = 0
    for topic in wanted:
        began = time.perf_counter()
        say(f"\n== {topic}: {machine()}")
        for figure in importlib.import_module(f"scripts.bench.{topic}").figures():
            say(figure.line())
            missed += not figure.reached
        say(f"   ({time.perf_counter() - began:.0f} s)")
    say(f"\n{missed} figures did not reach their goal")


if __name__ == "__main__":
    main()
