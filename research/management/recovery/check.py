"""`manage.py recovery check`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from research.management.actions import json_option
from research.selectors.invariants import check

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Mapping

    from research.management.terminal import Out
    from research.selectors.invariants import Report


class Check:
    help = "Verify every invariant of the recovery contract against the database; exit code 1 with what breaks one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--deep", action="store_true", help="also read every stored file and compare its SHA-256")
        json_option(parser)

    def run(self, out: Out, options: Mapping[str, Any]) -> int:
        report = check(deep=options["deep"])
        if options["json"]:
            out.json(report.as_dict())
        else:
            _say(out, report)
        return 0 if report.clean else 1


def _say(out: Out, report: Report) -> None:
    looked = ", ".join(f"{count} {name}" for name, count in report.counts.items())
    if report.clean:
        out.line(f"{out.tint('clean', 'good')}: {report.invariants} invariants hold over {looked}.")
        return
    sentence = ""
    for breach in report.breaches:
        if breach.sentence != sentence:
            sentence = breach.sentence
            out.line(f"{out.tint('BROKEN', 'bad')} {breach.number}. {sentence} ({breach.invariant})")
        out.line(f"  {breach.subject} {breach.what}")
    out.line(f"{len(report.breaches)} rows break an invariant; looked at {looked}.")
