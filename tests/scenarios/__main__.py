"""`make sabotage`: switches one mechanism after the other off in a copy of the project, and sees tests go red.

Exit code 1 when a test stayed green, or could not run: then it does not guard what it says it guards.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ktrdr_site.environment import PROJECT
from tests.scenarios.sabotages import Sabotage, sabotages


def _copy(folder: Path) -> Path:
    """The working tree as git sees it (new files included), with this environment."""
    copy = folder / "project"
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"],
                            cwd=PROJECT, capture_output=True, check=True).stdout  # fmt: skip
    copy.mkdir()
    with subprocess.Popen(["tar", "--null", "--ignore-failed-read", "-T", "-", "-cf", "-"], cwd=PROJECT,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as tar:  # fmt: skip
        assert tar.stdin is not None
        tar.stdin.write(listed)
        tar.stdin.close()
        subprocess.run(["tar", "-xf", "-"], cwd=copy, stdin=tar.stdout, check=True)
    (copy / ".venv").symlink_to(PROJECT / ".venv")
    subprocess.run(["git", "init", "-q"], cwd=copy, check=True)
    return copy


def _red(copy: Path, one: Sabotage) -> tuple[bool, str]:
    """Whether every named test failed (an error in a fixture is no failure), and what pytest said last."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("KTRDR_", "DJANGO_"))}
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--no-header", *one.tests],
                          cwd=copy, env=environment, capture_output=True, text=True, check=False)  # fmt: skip
    said = done.stdout.strip().splitlines()
    last = said[-1] if said else done.stderr[-200:]
    return done.returncode == 1 and not re.search(r"\b(passed|errors?)\b", last), last


def _seen(one: Sabotage) -> bool:
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        copy = _copy(Path(folder))
        for edit in one.edits:
            edit.apply(copy)
        red, said = _red(copy, one)
    numbers = ", ".join(map(str, one.rows))
    answer = "red, as it must be" if red else f"NOT RED: {said}"
    sys.stdout.write(f"[{numbers:>8}] {one.what}: {answer} ({time.perf_counter() - began:.0f} s)\n")
    sys.stdout.flush()
    return red


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.scenarios", description=__doc__)
    parser.add_argument("--topic", help="only those of one file of tests/scenarios/sabotage")
    parser.add_argument("--what", default="", help="only those whose words contain this")
    asked = parser.parse_args()
    chosen = [one for one in sabotages() if asked.topic in (None, one.topic) and asked.what in one.what]
    red = [_seen(one) for one in chosen]
    sys.stdout.write(f"{len(red)} mechanisms switched off, {red.count(True)} times every guarding test went red\n")
    sys.exit(0 if chosen and all(red) else 1)


if __name__ == "__main__":
    main()
