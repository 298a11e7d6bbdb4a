"""What the person at the terminal sees: life and death of the processes, and what they warn of."""

from __future__ import annotations

import os
import re
import shutil
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from pathlib import Path

    from ktrdr_site.supervisor.child import Child

_BEGINS = re.compile(r"^\d{4}-\d\d-\d\d[ T]")  # a log line; others belong to the one before
_LARGEST_LOG = 20 * 2**20


class Terminal:
    """Prints prefixed lines; goes silent, and harms nobody, when the terminal is gone."""

    def __init__(self, out: TextIO, *, verbose: bool = False, width: int = 10) -> None:
        self.out: TextIO | None = out
        self.verbose = verbose
        self.width = width

    def say(self, text: str, name: str = "ktrdr") -> None:
        if self.out is None:
            return
        try:
            self.out.write(f"{name:<{self.width}} | {text}\n")
            self.out.flush()
        except (OSError, ValueError):
            self.out = None


class LogTail:
    """Follows the log that a child writes, from where it was when the child was first started."""

    def __init__(self, child: Child, terminal: Terminal) -> None:
        self._path: Path = child.log
        self._spec = child.spec
        self._terminal = terminal
        self._alarming = re.compile(child.spec.alarming)
        self._at = self._path.stat().st_size if self._path.exists() else 0
        self._rest = b""
        self._showing = False

    def follow(self, *, quiet: bool = False) -> None:
        """Print what is new; `quiet` only passes over it. Keeps the log below its largest size."""
        try:
            size = self._path.stat().st_size
        except FileNotFoundError:
            return
        if size < self._at:
            self._at = 0
        if size > self._at:
            self._read(quiet=quiet)
        if size > _LARGEST_LOG:
            shutil.copyfile(self._path, self._path.with_suffix(".log.1"))
            os.truncate(self._path, 0)  # the child appends, so it goes on at the beginning
            self._at = 0

    def _read(self, *, quiet: bool) -> None:
        with self._path.open("rb") as log:
            log.seek(self._at)
            new = log.read(2**20)
        self._at += len(new)
        *lines, self._rest = (self._rest + new).split(b"\n")
        for line in lines:
            self._show(line.decode(errors="replace").rstrip(), quiet=quiet)

    def _show(self, line: str, *, quiet: bool) -> None:
        alarm = self._alarming.search(line) is not None
        if alarm or _BEGINS.match(line):
            self._showing = alarm
        if (self._showing and not quiet) or self._spec.show_all or self._terminal.verbose:
            self._terminal.say(line, self._spec.name)
