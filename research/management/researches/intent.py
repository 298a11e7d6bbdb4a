"""`manage.py research cancel` and `resume`, of one research or of several."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from research.coordinator.tasks import resume_if_needed
from research.management.actions import json_option, whoami
from research.selectors import researches as selector
from research.selectors.events import newest as newest_event
from research.services import researches
from research.services.errors import ServiceError

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Callable, Mapping, Sequence

    from research.management.terminal import Out


class Cancel:
    help = "Cancel researches that are not over; whatever still arrives for them is refused."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("ids", type=int, nargs="+", metavar="ID")
        json_option(parser)

    def run(self, out: Out, options: Mapping[str, Any]) -> int | None:
        ids, user = list(dict.fromkeys(options["ids"])), whoami()
        done, refused = _each(ids, lambda one: researches.cancel(one, user=user))
        if options["json"]:
            _json(out, ids, refused)
        else:
            _tell(out, done, refused, "is cancelled")
            if done:
                again = " ".join(map(str, done))
                out.line(out.tint(f"To go on where it stopped: manage.py research resume {again}", "quiet"))
        return 1 if refused else None


class Resume:
    help = "Make failed or cancelled researches active again; each goes on where it stopped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("ids", type=int, nargs="+", metavar="ID")
        parser.add_argument("--follow", action="store_true", help="show what happens, to the verdict")
        json_option(parser)

    def run(self, out: Out, options: Mapping[str, Any]) -> int | None:
        ids, user, seen = list(dict.fromkeys(options["ids"])), whoami(), newest_event()
        done, refused = _each(ids, lambda one: researches.resume(one, user=user))
        resume_if_needed()
        if options["follow"] and done:
            from research.management.researches.following import follow_all

            if refused and not options["json"]:
                _tell(out, [], refused, "")
            return follow_all(out, done, as_json=options["json"], since=seen) or (1 if refused else 0)
        if options["json"]:
            _json(out, ids, refused)
        else:
            _tell(out, done, refused, "goes on where it stopped")
        return 1 if refused else None


def _each(ids: Sequence[int], act: Callable[[int], object]) -> tuple[list[int], dict[int, str]]:
    """Those done, and why the others were refused. A refusal hinders none of the others; a single one is raised."""
    done: list[int] = []
    refused: dict[int, str] = {}
    for one in ids:
        try:
            act(one)
            done.append(one)
        except ServiceError as problem:
            if len(ids) == 1:
                raise
            refused[one] = str(problem)
    return done, refused


def _tell(out: Out, done: Sequence[int], refused: Mapping[int, str], what: str) -> None:
    for one in done:
        out.line(f"Research {one} {what}.")
    for problem in refused.values():
        out.line(out.tint(problem, "warn"))


def _json(out: Out, ids: Sequence[int], refused: Mapping[int, str]) -> None:
    """One research as `show --json` has it; of several a list, where a refused one has its `error`."""
    found = [
        {"id": one, "error": refused[one]} if one in refused else selector.detail(selector.get(one)) for one in ids
    ]
    out.json(found[0] if len(ids) == 1 else found)
