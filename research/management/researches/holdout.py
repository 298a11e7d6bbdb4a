"""`manage.py research holdout ID`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from research.coordinator.tasks import resume_if_needed
from research.management.actions import json_option, whoami
from research.management.researches.following import follow_all
from research.selectors.events import newest as newest_event
from research.services import holdouts

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Mapping

    from research.management.terminal import Out


class Holdout:
    help = "Open the hold-out for the strategy of a completed research, once. Every opening of a market is counted."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("id", type=int, metavar="ID")
        json_option(parser)

    def run(self, out: Out, options: Mapping[str, Any]) -> int:
        seen = newest_event()
        opened = holdouts.open_for(options["id"], by=whoami())
        resume_if_needed()
        if not options["json"]:
            out.line(f"Research {opened.pk} trades the hold-out with the strategy of research {options['id']}.")
        return follow_all(out, [opened.pk], as_json=options["json"], since=seen)
