"""`python -m tests.chaos --seed 1 --kills 300`: exit code 0 when everything held, 1 with what broke."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos import report
from tests.chaos.course import Course
from tests.chaos.plan import Plan


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="decides every random choice")
    parser.add_argument("--kills", type=int, default=60, help="SIGKILLs until it may come to rest")
    parser.add_argument("--together", type=int, default=8, help="researches started at once")
    parser.add_argument("--epochs", type=int, default=400, help="epochs of each model")
    parser.add_argument("--pace", type=float, default=1.5, help="mean seconds between two strikes")
    parser.add_argument("--folder", type=Path, help="where to run; kept. Default: a temporary one, kept when broken")
    options = parser.parse_args()
    plan = Plan(options.seed, options.kills, options.together, options.epochs, options.pace)
    root = options.folder or Path(tempfile.mkdtemp(prefix="ktrdr-chaos-"))
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    started = time.monotonic()

    def say(line: str) -> None:
        sys.stdout.write(f"{time.monotonic() - started:7.1f} s  {line}\n")
        sys.stdout.flush()

    outcome = Course(plan, root, say=say).run()
    sys.stdout.write(report.text(outcome) + "\n")
    if not outcome.broken and options.folder is None:
        shutil.rmtree(root, ignore_errors=True)
    return 1 if outcome.broken else 0


if __name__ == "__main__":
    sys.exit(main())
