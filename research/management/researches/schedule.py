"""`manage.py research schedule add / list / end`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from research.management.actions import json_option, whoami
from research.management.researches.start import add_asked, asked
from research.management.terminal import cut, when
from research.models import Schedule
from research.selectors.times import iso
from research.services import schedules
from research.services.errors import Invalid

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Mapping

    from research.management.terminal import Out

_UNITS = {"m": 60, "min": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
BRIEF = 50


class ScheduleAction:
    help = "Have researches started by the clock: every so often one like this, with a seed of its own."

    def add_arguments(self, parser: ArgumentParser) -> None:
        found = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
        add = found.add_parser("add", help="a research like this every so often, the first one now")
        add_asked(add)
        add.add_argument("--every", required=True, metavar="TIME", help="such as 30min, 6h, 1d, 1w")
        listing = found.add_parser("list", help="the schedules there are")
        end = found.add_parser("end", help="start no more of them")
        end.add_argument("id", type=int, metavar="ID")
        for one in (add, listing, end):
            json_option(one)

    def run(self, out: Out, options: Mapping[str, Any]) -> None:
        {"add": _add, "list": _list, "end": _end}[options["what"]](out, options)


def _add(out: Out, options: Mapping[str, Any]) -> None:
    row = schedules.create(
        brief=options["brief"], every_s=_seconds(options["every"]), asked=asked(options), by=whoami()
    )
    if options["json"]:
        return out.json(_row(row))
    out.line(f"Schedule {row.pk} begins a research every {options['every']}, the first within seconds.")
    out.line(out.tint(f"To end it: manage.py research schedule end {row.pk}", "quiet"))
    return None


def _list(out: Out, options: Mapping[str, Any]) -> None:
    rows = [_row(row) for row in Schedule.objects.filter(ended_at=None)]
    if options["json"]:
        return out.json(rows)
    if not rows:
        return out.line('No schedule. Make one: manage.py research schedule add "follow the trend" --every 6h')
    lines = [(one["id"], f"{one['every_s']} s", when(one["next_at"]), one["started"], one["last"],
              cut(one["problem"] or one["brief"], BRIEF)) for one in rows]  # fmt: skip
    out.table(("ID", "EVERY", "NEXT (UTC)", "STARTED", "LAST", "BRIEF"), lines)
    return None


def _end(out: Out, options: Mapping[str, Any]) -> None:
    schedules.end(options["id"], by=whoami())
    if options["json"]:
        return out.json({"id": options["id"], "ended": True})
    return out.line(f"Schedule {options['id']} begins no more researches; those it began go on.")


def _seconds(text: str) -> int:
    """Raises `Invalid`."""
    found = re.fullmatch(r"([1-9][0-9]{0,5})\s*(m|min|h|d|w)", text.strip())
    if found is None:
        raise Invalid(f"--every {text!r} is no time: write such as 30min, 6h, 1d or 1w.")
    return int(found[1]) * _UNITS[found[2]]


def _row(row: Schedule) -> dict[str, Any]:
    return {
        "id": row.pk, "brief": row.brief, "every_s": row.every_s, "next_at": iso(row.next_at), "started": row.started,
        "last": row.last_id, "problem": row.problem, "asked": row.asked, "created_by": row.created_by,
    }  # fmt: skip
