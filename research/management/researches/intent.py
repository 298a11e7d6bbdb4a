"""`manage.py research cancel` and `resume`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from research.coordinator.tasks import resume_if_needed
from research.management.actions import json_option, whoami
from research.selectors import researches as selector
from research.selectors.events import newest as newest_event
from research.services import researches

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Mapping

    from research.management.terminal import Out


class Cancel:
    help = "Cancel a research that is not over; whatever still arrives for it is refused."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("id", type=int, metavar="ID")
        json_option(parser)

    def run(self, out: Out, options: Mapping[str, Any]) -> None:
        researches.cancel(options["id"], user=whoami())
        if options["json"]:
            return out.json(selector.detail(selector.get(options["id"])))
        out.line(f"Research {options['id']} is cancelled.")
        out.line(out.tint(f"To go on where it stopped: manage.py research resume {options['id']}", "quiet"))
        return None


class Resume:
    help = "Make a failed or cancelled research active again; it goes on where it stopped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("id", type=int, metavar="ID")
        parser.add_argument("--follow", action="store_true", help="show what happens, to the verdict")
        json_option(parser)

    def run(self, out: Out, options: Mapping[str, Any]) -> int | None:
        seen = newest_event()
        researches.resume(options["id"], user=whoami())
        resume_if_needed()
        if options["follow"]:
            from research.management.researches.following import follow_all

            return follow_all(out, [options["id"]], as_json=options["json"], since=seen)
        if options["json"]:
            out.json(selector.detail(selector.get(options["id"])))
        else:
            out.line(f"Research {options['id']} goes on where it stopped.")
        return None
