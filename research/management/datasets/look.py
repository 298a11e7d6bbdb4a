"""`manage.py data list` and `check`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from research.management.actions import json_option
from research.management.datasets import row
from research.models import Dataset
from research.services import datasets
from research.services.errors import NotFound

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Mapping

    from research.management.terminal import Out


class List:
    help = "The datasets there are."

    def add_arguments(self, parser: ArgumentParser) -> None:
        json_option(parser)

    def run(self, out: Out, options: Mapping[str, Any]) -> None:
        found = list(Dataset.objects.all())
        if options["json"]:
            return out.json([row(one) for one in found])
        if not found:
            return out.line("No data yet. Load some: manage.py data load FILE --symbol X --timeframe 1d")
        out.table(
            ("ID", "SYMBOL", "TIMEFRAME", "BARS", "FROM", "TO", "SOURCE"),
            [(one.pk, one.symbol, one.timeframe, one.bars, f"{one.first_at:%Y-%m-%d}", f"{one.last_at:%Y-%m-%d}",
              one.source)
             for one in found],
        )  # fmt: skip
        return None


class Check:
    help = "Verify that the stored bars are whole and are what was loaded; exit code 1 when one is not."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("id", type=int, nargs="*", help="only these datasets")
        json_option(parser)

    def run(self, out: Out, options: Mapping[str, Any]) -> int:
        checked = [datasets.check(one) for one in _wanted(options["id"])]
        bad = [one for one in checked if one.problem]
        if options["json"]:
            out.json([row(one.dataset) | {"ok": not one.problem, "problem": one.problem} for one in checked])
        else:
            for one in checked:
                word = out.tint("BAD", "bad") if one.problem else out.tint("ok ", "good")
                out.line(f"{word} dataset {one.dataset.pk}: {one.dataset}{': ' + one.problem if one.problem else ''}")
            out.line(f"{len(checked)} datasets checked, {len(bad)} damaged.")
        return 1 if bad else 0


def _wanted(ids: list[int]) -> list[Dataset]:
    found = list(Dataset.objects.filter(pk__in=ids) if ids else Dataset.objects.all())
    if missing := sorted(set(ids) - {one.pk for one in found}):
        raise NotFound(f"There is no dataset {missing[0]}. `manage.py data list` shows those there are.")
    return found
