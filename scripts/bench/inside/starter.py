"""Starts researches as fast as a benchmark wants them: a line on standard input, the new id on standard output."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import django

from ktrdr_site.environment import PROJECT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


@contextmanager
def starter(environment: Mapping[str, str]) -> Iterator[Callable[[], int]]:
    """A function that starts a research of its own each time and returns its id."""
    with subprocess.Popen(
        [sys.executable, "-m", __name__], env=dict(environment), cwd=PROJECT, text=True, bufsize=1,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        into, out = process.stdin, process.stdout
        if into is None or out is None:
            raise RuntimeError("a process was started without pipes")

        def start() -> int:
            into.write("start\n")
            return int(out.readline())

        yield start
        into.close()


def main() -> None:
    from research.services import researches

    for seed, _ in enumerate(sys.stdin, 1):
        row = researches.create(brief="Follow the trend", seed=seed, by="bench")
        sys.stdout.write(f"{row.pk}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    import os

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ktrdr_site.settings")
    django.setup()
    main()
