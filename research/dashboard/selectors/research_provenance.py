"""What it was made of and with, so that it can be made again: hashes, seeds, versions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from research.dashboard.selectors.charts_time import date_of
from research.lifecycle.states import Kind

if TYPE_CHECKING:
    from research.dashboard.selectors.research_rows import Rows


@dataclass(frozen=True, slots=True)
class Item:
    """`code`: set in the type of code; `missing`: what it waits for, shown instead of the value."""

    name: str
    value: str
    code: bool = False
    missing: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Provenance:
    """`differs`: versions or CPU features in which training and backtest were not alike."""

    follows: str
    groups: list[tuple[str, list[Item]]]
    differs: list[str]


_NO_STRATEGY = "comes with the design"
_HASHES = (
    ("Model", Kind.TRAINING, "model_sha256", "comes with the training"),
    ("Trades", Kind.BACKTEST, "trades_sha256", "comes with the backtest"),
    ("Equity", Kind.BACKTEST, "equity_sha256", "comes with the backtest"),
)


def provenance(rows: Rows) -> Provenance:
    made = {kind: rows.result(kind).get("environment") or {} for kind in (Kind.TRAINING, Kind.BACKTEST)}
    groups = [("Inputs", _inputs(rows)), ("Results", _results(rows))]
    groups += [
        (f"{kind.label} ran with", [Item(name.replace("_", " "), str(value), code=True) for name, value in one.items()])
        for kind, one in made.items() if one
    ]  # fmt: skip
    first, second = made.values()
    differ = sorted(name for name in set(first) & set(second) if first[name] != second[name])
    return Provenance(rows.follows, groups, [name.replace("_", " ") for name in differ])


def _inputs(rows: Rows) -> list[Item]:
    research, dataset = rows.research, rows.research.dataset
    spec = research.strategy
    period = f"{date_of(dataset.first_at.timestamp())} to {date_of(dataset.last_at.timestamp())} UTC"
    return [
        Item("Seed", str(research.seed), code=True, note="decides every random choice"),
        Item("Memory", f"trial {research.memory_seq}" if research.memory_seq else "empty",
             note="the newest it may have read" if research.memory_seq else ""),
        Item("Data", f"{dataset.symbol} {dataset.timeframe}, {dataset.bars:,} bars, {period}", note=_source(dataset)),
        Item("Data SHA-256", dataset.sha256, code=True),
        Item("Strategy SHA-256", spec.sha256 if spec else "", code=True, missing="" if spec else _NO_STRATEGY),
        Item("Overrides", ", ".join(research.overrides) or "none", code=bool(research.overrides)),
    ]  # fmt: skip


def _source(dataset: Any) -> str:
    return ", ".join(part for part in (dataset.source, dataset.note) if part)


def _results(rows: Rows) -> list[Item]:
    ended = not rows.research.is_active and rows.live is None
    items = []
    for name, kind, key, waits in _HASHES:
        value = rows.result(kind).get(key) or ""
        missing = "" if value else "there is none" if ended else waits
        items.append(Item(f"{name} SHA-256", str(value), code=True, missing=missing))
    return items
