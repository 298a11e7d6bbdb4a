"""`manage.py data load` and `synth`: bars from a file, or made up."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from research.management.actions import json_option, whoami
from research.management.datasets import row
from research.services import datasets
from research.services.errors import Invalid
from workers.market import quality, synthetic
from workers.market.bars import TIMEFRAMES

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Mapping

    from research.management.terminal import Out
    from research.models import Dataset
    from workers.market.quality import QualityReport


class Load:
    help = "Load bars from a CSV file with the columns timestamp,open,high,low,close,volume; says what is odd in it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--symbol", required=True, help="such as NASDAQ or BTC-USD")
        parser.add_argument("--timeframe", required=True, help=f"one of {', '.join(TIMEFRAMES)}")
        parser.add_argument("--note", default="", help="where the data comes from, for the record")
        json_option(parser)

    def run(self, out: Out, options: Mapping[str, Any]) -> None:
        loaded = datasets.load_file(
            options["file"],
            symbol=options["symbol"],
            timeframe=options["timeframe"],
            note=options["note"],
            user=whoami(),
        )
        _say(out, options, loaded.dataset, loaded.report, new=loaded.new)


class Synth:
    help = "Make up bars: noise (no edge: a control), rule (a planted rule), momentum (autocorrelated)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", choices=list(synthetic.KINDS))
        parser.add_argument("--symbol", default="", help="default: the kind in capitals")
        parser.add_argument("--timeframe", default="1d", help="default 1d")
        parser.add_argument("--bars", type=int, default=3000, help="default 3000")
        parser.add_argument("--seed", type=int, default=1, help="the same seed makes the same bars; default 1")
        json_option(parser)

    def run(self, out: Out, options: Mapping[str, Any]) -> None:
        kind, seed, timeframe = options["kind"], options["seed"], options["timeframe"]
        default, about = synthetic.KINDS[kind]
        symbol = options["symbol"] or default
        datasets.check_names(symbol, timeframe)
        if seed < 0:
            raise Invalid(f"The seed is {seed}: it must not be negative.")
        try:
            bars = synthetic.generate(kind, bars=options["bars"], seed=seed, symbol=symbol, timeframe=timeframe)
        except ValueError as problem:
            raise Invalid(f"{str(problem)[:1].upper()}{str(problem)[1:]}.") from None
        report = quality.report(bars, synthetic.lines(bars))
        source = f"synthetic {kind}, seed {seed}"
        dataset, new = datasets.store(bars, source=source, note=about, quality=report.as_dict(), user=whoami())
        _say(out, options, dataset, report, new=new)


def _say(out: Out, options: Mapping[str, Any], dataset: Dataset, report: QualityReport, *, new: bool) -> None:
    if options["json"]:
        return out.json(row(dataset) | {"new": new, "quality": report.as_dict()})
    verb = "loaded" if new else "were loaded before"
    out.line(
        f"{dataset.bars} bars of {dataset.symbol} {dataset.timeframe}, {dataset.first_at:%Y-%m-%d} to "
        f"{dataset.last_at:%Y-%m-%d}, {verb} as dataset {dataset.pk}."
    )
    tones = {"warning": "warn", "note": "quiet"}
    for line in str(report).splitlines()[1:]:
        out.line(f"  {out.tint(line, tones.get(line.partition(':')[0], 'good'))}")
    return None
