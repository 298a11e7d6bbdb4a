"""`manage.py research show ID`."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, Any

from research.lifecycle.states import TONE
from research.management.actions import json_option
from research.management.researches.verdict import metrics_rows, tell
from research.management.terminal import when
from research.selectors import researches

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Mapping

    from research.management.terminal import Out

EVENTS = 12
_PAIR = 11  # where the values of the pairs begin


class Show:
    help = "One research: where it stands, its operations, what was found, what happened."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("id", type=int, metavar="ID")
        json_option(parser)

    def run(self, out: Out, options: Mapping[str, Any]) -> None:
        found = researches.detail(researches.get(options["id"]))
        if options["json"]:
            return out.json(found)
        _head(out, found)
        _operations(out, found["operations"])
        if found["verdict"]:
            out.line()
            tell(out, found)
        _events(out, found["events"])
        return None


def _head(out: Out, found: Mapping[str, Any]) -> None:
    reason = f" ({found['reason']})" if found["reason"] else ""
    strategy = found["strategy"]
    out.line(out.tint(f"Research {found['id']}: {found['brief']}", "strong"))
    out.pairs([
        ("state", out.tint(f"{found['state']}{reason}", TONE[found["state"]])),
        ("stands", _stands(out, found)),
        ("data", f"{found['symbol']} {found['timeframe']}, {found['dataset']['bars']} bars"),
        ("strategy", strategy and f"{strategy['name']} (by {strategy['origin']})"),
        ("seed", found["seed"]),
        ("overrides", ", ".join(found["overrides"])),
        ("created", when(found["created_at"])),
        ("ended", when(found["ended_at"])),
        *([] if found["verdict"] else metrics_rows(found["metrics"])),
    ])  # fmt: skip


def _stands(out: Out, found: Mapping[str, Any]) -> str:
    """The sentence, in lines below each other."""
    lines = wrap(found["standing"]["sentence"], max(40, out.width - _PAIR))
    return f"\n{' ' * _PAIR}".join(lines)


def _operations(out: Out, operations: list[dict[str, Any]]) -> None:
    if not operations:
        return
    out.line()
    rows = [
        (one["id"], one["reason"] if one["status"] == "failed" else one["status"], one["kind"], one["attempt"],
         _went_on(one), f"{one['unit']}/{one['units']}" if one["units"] else "", one["runner"])
        for one in operations
    ]  # fmt: skip
    header = ("ID", "STATUS", "KIND", "TRY", "GOES ON FROM", "UNIT", "RUNNER")
    out.table(header, rows, [TONE[one["status"]] for one in operations])


def _went_on(one: Mapping[str, Any]) -> str:
    if one["continues"] is None:
        return ""
    unit = one["resumed_from_unit"]
    return f"{one['continues']}, " + ("its beginning" if unit is None else f"unit {unit}")


def _events(out: Out, events: list[dict[str, Any]]) -> None:
    out.line()
    if len(events) > EVENTS:
        out.line(out.tint(f"the last {EVENTS} of {len(events)} events (all: --json)", "quiet"))
    tones = {"warning": "warn", "error": "bad"}
    for event in events[-EVENTS:]:
        out.line(f"{out.tint(when(event['at']), 'quiet')}  {out.tint(event['message'], tones.get(event['level'], ''))}")
