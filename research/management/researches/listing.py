"""`manage.py research list`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from research.lifecycle.states import TONE, State
from research.management.actions import json_option
from research.management.terminal import cut, percent
from research.selectors import researches
from research.selectors.standing import Situation

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Mapping

    from research.management.terminal import Out

BRIEF = 40


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
            (one["id"], one["state"], f"{one['symbol']} {one['timeframe']}", cut(one["brief"], BRIEF), _standing(one))
            for one in found
        ]
        out.table(("ID", "STATE", "DATA", "BRIEF", "STANDING"), lines, [TONE[one["state"]] for one in found])
        return None


def _standing(one: Mapping[str, Any]) -> str:
    sentence = str(one["standing"]["sentence"])
    if one["progress"] is None or one["waiting_for"]:
        return sentence
    return f"{percent(one['progress']['fraction'])}  {sentence}"
