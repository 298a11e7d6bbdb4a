"""Datasets: bars as loaded, stored by their hash. The same bars of a symbol and timeframe are one row."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from research.models import Dataset, Topic
from research.services import blobs
from research.services.change import change
from research.services.errors import Invalid
from workers.faults import point
from workers.market.bars import TIMEFRAMES, BadBars, Bars
from workers.market.csvfile import BadData, parse_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from workers.market.quality import QualityReport

_SYMBOL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._^=-]{0,31}")


@dataclass(frozen=True, slots=True)
class Loaded:
    """`new` is False when the same bars were there already."""

    dataset: Dataset
    report: QualityReport
    new: bool


@dataclass(frozen=True, slots=True)
class Checked:
    """`problem` is empty when the stored bars are whole and are what the row says."""

    dataset: Dataset
    problem: str = ""
    quality: Mapping[str, Any] = field(default_factory=dict)


def load_file(path: Path, *, symbol: str, timeframe: str, note: str = "", user: str = "") -> Loaded:
    """`load_bytes` of a CSV file. Raises `Invalid`, also for a file that cannot be read."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}. Give the path of a CSV file.") from error
    return load_bytes(content, name=path.name, symbol=symbol, timeframe=timeframe, note=note, user=user)


def load_bytes(content: bytes, *, name: str, symbol: str, timeframe: str, note: str = "", user: str = "") -> Loaded:
    """Store the bars of a CSV file called `name`. Raises `Invalid` with line and reason; nothing is stored then."""
    check_names(symbol, timeframe)
    try:
        bars, report = parse_bytes(content, symbol, timeframe)
    except (BadData, BadBars) as error:
        raise Invalid(f"{name}: {error}") from error
    dataset, new = store(bars, source=name, note=note, quality=report.as_dict(), user=user)
    return Loaded(dataset, report, new)


def store(
    bars: Bars, *, source: str, note: str = "", quality: Mapping[str, Any] | None = None, user: str = ""
) -> tuple[Dataset, bool]:
    """The row of these bars, and whether it is new. A stored file that was damaged is mended. Raises `NoSpace`."""
    payload, sha256 = bars.to_bytes(), bars.sha256
    blob = f"datasets/{sha256}"
    if not _whole(blob, sha256):
        blobs.store(blob, [payload], sha256=sha256, what="dataset")
    with change() as record:
        dataset, new = Dataset.objects.get_or_create(
            symbol=bars.symbol, timeframe=bars.timeframe, sha256=sha256,
            defaults={
                "size": len(payload), "blob": blob, "bars": len(bars), "source": source[:300], "note": note[:300],
                "first_at": _utc(bars.time[0]), "last_at": _utc(bars.time[-1]), "quality": dict(quality or {}),
            },
        )  # fmt: skip
        from research.services import holdouts

        holdouts.note(bars)
        if new:
            message = f"{len(bars)} bars of {bars.symbol} {bars.timeframe} were loaded from {source}."
            record.event(Topic.SYSTEM, "dataset.loaded", message, user=user, dataset=dataset.pk, sha256=sha256)
            record.touch("dataset", dataset.pk)
    point("dataset.committed")
    return dataset, new


def read(dataset: Dataset) -> Bars:
    """The bars of a row, verified. Raises `Damaged`."""
    try:
        return Bars.from_bytes(blobs.read(dataset.blob, dataset.sha256))
    except BadBars as error:
        raise blobs.Damaged(f"Dataset {dataset.pk} ({dataset}) cannot be read: {error}") from error


def check(dataset: Dataset) -> Checked:
    """Verify the stored bars against their row; never raises for what it finds."""
    try:
        bars = read(dataset)
    except blobs.Damaged as error:
        return Checked(dataset, f"{error} Load the file again to mend it.")
    said = (dataset.symbol, dataset.timeframe, dataset.bars, dataset.first_at, dataset.last_at)
    found = (bars.symbol, bars.timeframe, len(bars), _utc(bars.time[0]), _utc(bars.time[-1]))
    if said != found:
        return Checked(dataset, f"The row says {said}, the stored bars say {found}.")
    return Checked(dataset, quality=dataset.quality)


def check_names(symbol: str, timeframe: str) -> None:
    """Raises `Invalid` for a symbol or timeframe that cannot be."""
    if not _SYMBOL.fullmatch(symbol):
        raise Invalid(
            f"{symbol!r} cannot be a symbol: at most 32 letters, digits and . _ ^ = -, such as NASDAQ or BTC-USD."
        )
    if timeframe not in TIMEFRAMES:
        raise Invalid(f"Unknown timeframe {timeframe!r}; use one of {', '.join(TIMEFRAMES)}.")


def _whole(blob: str, sha256: str) -> bool:
    try:
        blobs.verify(blob, sha256)
    except blobs.Damaged:
        return False
    return True


def _utc(seconds: int) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)
