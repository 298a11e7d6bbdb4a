"""`manage.py workers list` and `drain`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from research.management.actions import json_option, whoami
from research.management.terminal import percent
from research.selectors.workers import WORKER_TONE, all_workers
from research.services import workers

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Mapping

    from research.management.terminal import Out
    from research.selectors.workers import WorkerView


class List:
    help = "The workers, how they are and what they run."

    def add_arguments(self, parser: ArgumentParser) -> None:
        json_option(parser)

    def run(self, out: Out, options: Mapping[str, Any]) -> None:
        found = all_workers()
        if options["json"]:
            return out.json([worker.as_dict() for worker in found])
        if not found:
            return out.line("No worker was ever connected: manage.py up starts some, or see python -m workers --help")
        rows = [
            (one.name, one.state, _heard(one), ", ".join(one.kinds), one.host.get("hostname"), _doing(one))
            for one in found
        ]
        out.table(("NAME", "STATE", "HEARD", "KINDS", "HOST", "RUNS"), rows, [WORKER_TONE[one.state] for one in found])
        return None


class Drain:
    help = "Ask a worker to hand over what it runs and leave."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME")
        json_option(parser)

    def run(self, out: Out, options: Mapping[str, Any]) -> None:
        name = options["name"]
        workers.drain(name, user=whoami())
        if options["json"]:
            return out.json({"name": name, "drain_requested": True})
        out.line(f"Worker {name} is asked to hand over its work and leave.")
        return None


def _heard(worker: WorkerView) -> str:
    age = worker.heartbeat_age_s
    return "never" if age is None else f"{age:.1f} s ago" if age < 600 else f"{age / 3600:.1f} h ago"


def _doing(worker: WorkerView) -> str:
    parts = [
        f"{one['kind']} of research {one['research']} {percent(one['fraction'])} ({one['message'] or 'begun'})"
        for one in worker.operations
    ]
    return "; ".join(parts) or "–"
