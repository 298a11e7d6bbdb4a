"""`manage.py research follow ID`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from research.management.actions import json_option
from research.management.researches.following import follow_all
from research.selectors import researches
from research.selectors.events import newest

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Mapping

    from research.management.terminal import Out


class Follow:
    help = "Show what happens to a research, to its verdict. Ctrl-C stops following; the research goes on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("id", type=int, nargs="+", metavar="ID")
        json_option(parser)

    def run(self, out: Out, options: Mapping[str, Any]) -> int:
        since = newest()
        found = [researches.get(one).pk for one in options["id"]]
        return follow_all(out, found, as_json=options["json"], since=since)
