"""`manage.py recovery status`."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, Any

from research.lifecycle.states import TONE
from research.management.actions import json_option
from research.management.terminal import when
from research.selectors import recovery
from research.selectors.workers import WORKER_TONE

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Mapping

    from research.management.terminal import Out

_PLAN_TONE = {"orphan": "warn", "time out": "warn", "fail": "bad", "wait": "quiet"}


class Status:
    help = "Who leads, what runs where with which lease, and what would be done next and why. Changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        json_option(parser)

    def run(self, out: Out, options: Mapping[str, Any]) -> None:
        found = recovery.status()
        if options["json"]:
            return out.json(found)
        _head(out, found)
        _workers(out, found["workers"])
        _active(out, found["active"])
        _standing(out, found["standing"])
        _planned(out, found["planned"])
        return None


def _head(out: Out, found: Mapping[str, Any]) -> None:
    leader, up = found["leader"], found["api_up_since"]
    nobody = out.tint("nobody", "bad" if found["active"] or found["pending"] else "quiet")
    leads = f"{leader['label']}, term {leader['term']}, lease ends in {leader['lease_s']:.1f} s" if leader else nobody
    out.pairs([
        ("leader", leads),
        ("amnesty", out.tint(found["amnesty"], "warn")),
        ("silence", out.tint(_silence(found["silence_s"]), "warn")),
        ("web hears since", when(up) or out.tint("nobody hears workers: no lease ends", "bad")),
        ("researches", f"{len(found['active'])} active of {found['places']} places, {found['pending']} pending"),
    ])  # fmt: skip


def _workers(out: Out, workers: list[dict[str, Any]]) -> None:
    if not workers:
        return
    out.line()
    rows = [
        (one["name"], one["state"], f"{one['heartbeat_age_s'] or 0:.1f} s ago", ", ".join(one["kinds"]),
         ", ".join(f"operation {operation['id']}" for operation in one["operations"]) or "–")
        for one in workers
    ]  # fmt: skip
    out.table(("WORKER", "STATE", "HEARD", "KINDS", "RUNS"), rows, [WORKER_TONE[one["state"]] for one in workers])


def _active(out: Out, active: list[dict[str, Any]]) -> None:
    if not active:
        return
    out.line()
    rows = [(one["id"], one["state"], *_operation(one["operation"])) for one in active]
    header = ("RESEARCH", "STATE", "OPERATION", "STATUS", "LEASE", "DEADLINE", "RUNNER")
    out.table(header, rows, [TONE[one["state"]] for one in active])


def _operation(one: Mapping[str, Any] | None) -> tuple[Any, ...]:
    if one is None:
        return ("–", "", "", "", "")
    lease, deadline = one["lease_s"], one["deadline_s"]
    left = ["" if value is None else f"{value:.1f} s" for value in (lease, deadline)]
    return (one["id"], one["status"], *left, one["runner"])


def _silence(seconds: float) -> str:
    return f"most workers fell silent together: no lease ends for {seconds:.0f} s more" if seconds else ""


def _standing(out: Out, standing: list[dict[str, Any]]) -> None:
    """In full: it is what a person acts on."""
    if standing:
        out.line()
    for one in standing:
        name = f"research {one['research']}"
        out.line(f"{out.tint(name, 'strong')}  {out.tint(one['title'], one['tone'])}")
        for line in wrap(one["sentence"], max(40, out.width - 2)):
            out.line(f"  {line}")


def _planned(out: Out, planned: list[dict[str, Any]]) -> None:
    out.line()
    if not planned:
        return out.line("Nothing is to be done.")
    rows = [(f"research {one['research']}", one["step"], one["why"]) for one in planned]
    out.table(("NEXT", "STEP", "WHY"), rows, [_PLAN_TONE.get(one["step"], "busy") for one in planned])
    return None
