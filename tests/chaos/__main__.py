"""`python -m tests.chaos --seed 1 --kills 300`: exit code 0 when everything held, 1 with what broke.

With `--without-fence` it runs in a copy of the project whose fence is cut out, and exit code 0 means that the checker
found work that counted twice, as it must.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from tests.chaos import report, unfenced
from tests.chaos.course import Course, Outcome
from tests.chaos.plan import Plan

ZOMBIES = 60.0  # in the control more hosts are frozen, taken over and woken: they are what a fence is for


def main() -> int:
    usual = Plan(1, 60)
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=usual.seed, help="decides every random choice")
    parser.add_argument("--kills", type=int, default=usual.kills, help="SIGKILLs until it may come to rest")
    parser.add_argument("--together", type=int, default=usual.together, help="researches started at once")
    parser.add_argument("--epochs", type=int, default=usual.epochs, help="epochs of each model")
    parser.add_argument("--pace", type=float, default=usual.pace, help="mean seconds between two strikes, at least")
    parser.add_argument("--folder", type=Path, help="where to run; kept. Default: a temporary one, kept when broken")
    parser.add_argument("--json", action="store_true", help="the report as JSON; what happens goes to stderr")
    parser.add_argument("--without-fence", action="store_true", help="control: the checker must find duplicates")
    options = parser.parse_args()
    if options.without_fence and not unfenced.is_unfenced():
        return unfenced.run(["-m", "tests.chaos", *sys.argv[1:]]).returncode
    plan = Plan(options.seed, options.kills, options.together, options.epochs, options.pace)
    if options.without_fence:
        plan = replace(plan, hosts=ZOMBIES, longest_rest=60.0)  # what is left half done is no matter
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    root = options.folder or Path(tempfile.mkdtemp(prefix="ktrdr-chaos-"))
    outcome = _run(plan, root, options.json)
    said = json.dumps(report.as_dict(outcome), indent=1) if options.json else report.text(outcome)
    sys.stdout.write(said + "\n")
    if options.without_fence:
        sys.stdout.write(f"without the fence {len(outcome.duplicates)} duplicates were found\n")
        return 0 if outcome.duplicates else 1
    if not outcome.broken and options.folder is None:
        shutil.rmtree(root, ignore_errors=True)
    return 1 if outcome.broken else 0


def _run(plan: Plan, root: Path, quiet: bool) -> Outcome:
    started = time.monotonic()
    stream = sys.stderr if quiet else sys.stdout

    def say(line: str) -> None:
        stream.write(f"{time.monotonic() - started:7.1f} s  {line}\n")
        stream.flush()

    return Course(plan, root, say=say).run()


if __name__ == "__main__":
    sys.exit(main())
