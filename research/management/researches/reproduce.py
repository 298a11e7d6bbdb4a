"""`manage.py research reproduce ID`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from research.coordinator.tasks import resume_if_needed
from research.lifecycle.states import Kind, State, Status
from research.management.actions import json_option, whoami
from research.management.researches.following import watch
from research.management.terminal import Out
from research.models import Operation
from research.selectors import researches as selector
from research.selectors.events import newest as newest_event
from research.services.reproducing import compare, reproduce

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Mapping

_SHOWN = 16  # characters of a hash


class Reproduce:
    help = "Do a completed research again from the same seed, data and memory. Exit code 0: the same bits."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("id", type=int, metavar="ID")
        json_option(parser)

    def run(self, out: Out, options: Mapping[str, Any]) -> int:
        seen = newest_event()
        copy = reproduce(options["id"], by=whoami())
        resume_if_needed()
        shown = Out(sys.stderr) if options["json"] else out
        shown.line(f"Research {copy.pk} does research {options['id']} again.")
        if code := watch(shown, [copy.pk], since=seen):
            return code
        original, again = (selector.detail(selector.get(pk)) for pk in (options["id"], copy.pk))
        if again["state"] != State.COMPLETED:
            shown.line(shown.tint(f"Research {copy.pk} {again['state']}: {again['message']}", "bad"))
            return 1
        return _tell(out, options, original, again)


def _tell(out: Out, options: Mapping[str, Any], original: Mapping[str, Any], again: Mapping[str, Any]) -> int:
    compared = compare(original, again)
    differ = _environments(original["id"], again["id"])
    same = all(one["same"] for one in compared)
    if options["json"]:
        out.json({
            "original": original["id"], "research": again["id"], "same": same, "compared": compared,
            "environment": differ,
        })  # fmt: skip
        return 0 if same else 1
    for one in compared:
        found = "the same" if one["same"] else f"DIFFERS: {_short(one['original'])} became {_short(one['again'])}"
        out.line(f"  {one['what']:<16} {out.tint(found, 'good' if one['same'] else 'bad')}")
    if same:
        out.line(out.tint("Reproduced: the same to the last bit.", "good"))
    for one in () if same else differ:
        out.line(f"  {one['kind']} {one['what']}: {one['original']} then, {one['again']} now")
    if not same and not differ:
        out.line("Versions and CPU features are those of then: please report this as a defect.")
    return 0 if same else 1


def _environments(original: int, again: int) -> list[dict[str, Any]]:
    """What differs in versions and CPU features: equal bits are promised only where they agree."""
    found = []
    for kind in (Kind.TRAINING, Kind.BACKTEST):
        then, now = (_environment(pk, kind) for pk in (original, again))
        found += [
            {"kind": kind.value, "what": name, "original": then.get(name), "again": now.get(name)}
            for name in sorted({*then, *now}) if then.get(name) != now.get(name)
        ]  # fmt: skip
    return found


def _environment(research: int, kind: Kind) -> dict[str, Any]:
    rows = Operation.objects.filter(research_id=research, kind=kind, status=Status.COMPLETED)
    result = rows.values_list("result", flat=True).first() or {}
    return dict(result.get("environment") or {})


def _short(value: Any) -> str:
    return value[:_SHOWN] if isinstance(value, str) else str(value)
