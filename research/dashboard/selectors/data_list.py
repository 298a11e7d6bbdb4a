"""The datasets, and one of them with its quality and its curve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Count

from research.dashboard.selectors.charts_closes import closes_plot
from research.models import Dataset, Research
from research.services import datasets
from research.services.blobs import Damaged
from research.services.errors import NotFound

if TYPE_CHECKING:
    from research.dashboard.selectors.charts_plot import Plot

MOST = 500
_TONES = {"warning": "warn"}


@dataclass(frozen=True, slots=True)
class Finding:
    """What is odd about the bars, in words; `where` names the first lines of the file."""

    text: str
    where: str
    tone: str


@dataclass(frozen=True, slots=True)
class Row:
    """`newest`: researches that start now read this load of the market; `used` counts those that read it."""

    dataset: Dataset
    findings: list[Finding]
    newest: bool
    used: int

    @property
    def warnings(self) -> int:
        return sum(finding.tone == "warn" for finding in self.findings)


@dataclass(frozen=True, slots=True)
class Data:
    """`more` are not listed."""

    rows: list[Row]
    more: int


@dataclass(frozen=True, slots=True)
class One:
    """`problem` says why there is no plot."""

    row: Row
    plot: Plot | None
    problem: str


def data() -> Data:
    """By market, the newest load first."""
    found = list(Dataset.objects.order_by("symbol", "timeframe", "-id")[:MOST])
    counted = Research.objects.order_by().values("dataset_id").annotate(count=Count("id"))
    used = dict(counted.values_list("dataset_id", "count"))
    rows, seen = [], set[tuple[str, str]]()
    for dataset in found:
        market = (dataset.symbol, dataset.timeframe)
        rows.append(Row(dataset, findings(dataset), market not in seen, used.get(dataset.pk, 0)))
        seen.add(market)
    return Data(rows, Dataset.objects.count() - len(found) if len(found) == MOST else 0)


def one(pk: int) -> One:
    """Raises `NotFound`."""
    dataset = Dataset.objects.filter(pk=pk).first()
    if dataset is None:
        raise NotFound(f"There is no dataset {pk}.")
    later = Dataset.objects.filter(symbol=dataset.symbol, timeframe=dataset.timeframe, pk__gt=pk)
    row = Row(dataset, findings(dataset), not later.exists(), dataset.researches.count())
    try:
        return One(row, closes_plot(datasets.read(dataset)), "")
    except Damaged as error:
        return One(row, None, f"{error} Load the file again to mend it.")


def findings(dataset: Dataset) -> list[Finding]:
    """Warnings first."""
    given = dataset.quality.get("findings") or []
    found = [
        Finding(_sentence(str(one["message"])), _where(one.get("lines") or [], one.get("count", 0)),
                _TONES.get(one.get("severity"), "quiet"))
        for one in given
    ]  # fmt: skip
    return sorted(found, key=lambda finding: finding.tone != "warn")


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _where(lines: list[int], count: int) -> str:
    if not lines:
        return ""
    more = ", …" if count > len(lines) else ""
    return f"line{'s' if len(lines) > 1 else ''} {', '.join(map(str, lines))}{more}"
