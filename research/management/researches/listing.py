"""`manage.py research list`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from research.lifecycle.states import TONE, State
from research.management.actions import json_option
from research.management.terminal import percent
from research.selectors import researches
from research.selectors.waiting import Situation

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Mapping

    from research.management.terminal import Out


class List:
    help = "The researches, newest first."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--state", action="append", default=[], choices=State.values, help="only these")
        parser.add_argument("--limit", type=int, default=100, metavar="N", help="default 100, at most 1000")
        json_option(parser)

    def run(self, out: Out, options: Mapping[str, Any]) -> None:
        situation = Situation()
        rows = researches.newest(limit=options["limit"], states=options["state"])
        found = [researches.summary(row, situation) for row in rows]
        if options["json"]:
            return out.json(found)
        if not found:
            return out.line('No research yet. Start one: manage.py research start "momentum after quiet weeks"')
        lines = [
            (one["id"], one["state"], _standing(one), f"{one['symbol']} {one['timeframe']}", one["brief"])
            for one in found
        ]
        out.table(("ID", "STATE", "STANDING", "DATA", "BRIEF"), lines, [TONE[one["state"]] for one in found])
        return None


def _standing(one: Mapping[str, Any]) -> str:
    if one["verdict"] or one["reason"]:
        return str(one["verdict"] or one["reason"])
    if one["waiting_for"] or one["progress"] is None:
        return str(one["waiting_for"])
    return percent(one["progress"]["fraction"])
