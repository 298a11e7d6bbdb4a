"""The life of a child: warm up, wait for a job, work, end."""

from __future__ import annotations

import contextlib
import faulthandler
import importlib
import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from workers import faults
from workers.child.channel import Channel
from workers.child.reporter import SpoolReporter
from workers.child.work import engine, load_job, perform
from workers.durable import EXIT_DISK, is_disk_trouble
from workers.job import UnusableCheckpoint

if TYPE_CHECKING:
    from collections.abc import Iterable

NICE = 5
EXIT_UNUSABLE = 3


def live(kinds: Iterable[str]) -> NoReturn:
    """Everything from start to end; the process leaves without the interpreter's clean-up, which could hang."""
    channel = Channel()
    faulthandler.enable()
    os.nice(NICE)
    _warm(kinds)
    channel.send("warm")
    order = channel.receive()
    _leave(0 if order is None else _run(channel, Path(order["job"])))


def _warm(kinds: Iterable[str]) -> None:
    """Import what a job will need; an engine that cannot be imported is reported by the job that needs it."""
    importlib.import_module("numpy")
    for kind in kinds:
        with contextlib.suppress(Exception):
            engine(kind)


def _run(channel: Channel, job_file: Path) -> int:
    folder = job_file.parent
    reporter = SpoolReporter(channel, folder)
    threading.Thread(target=_listen, args=(channel, reporter), daemon=True).start()
    job = load_job(job_file)
    faults.point("worker.child.started")
    try:
        perform(job, reporter, folder)
    except UnusableCheckpoint as error:
        channel.send("unusable", message=str(error)[:2000])
        return EXIT_UNUSABLE
    except OSError as error:
        if not is_disk_trouble(error):
            raise
        sys.stderr.write(f"{folder} cannot be written: {error.strerror}\n")
        return EXIT_DISK
    return 0


def _listen(channel: Channel, reporter: SpoolReporter) -> None:
    """Any line after the job asks to stop at the next unit; the pipe's end means that the agent is gone."""
    while channel.receive() is not None:
        reporter.ask_to_stop()
    os._exit(1)


def _leave(code: int) -> NoReturn:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
