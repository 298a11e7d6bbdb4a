"""A page of the list of researches, quick however many there are: places first by index, then only those rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.db.models import F, FloatField, Prefetch, Q
from django.db.models.fields.json import KT
from django.db.models.functions import Cast

from research.dashboard.forms import markets
from research.dashboard.selectors.research_figures import count, percent, ratio, say, signed_percent
from research.dashboard.selectors.researches_wanted import ACTIVE_ONES, ENDED_ONES, ORDERS, STATES, VERDICTS
from research.lifecycle.states import ENDED, LIVE, State
from research.models import Operation, Research, Strategy
from research.selectors.standing import Situation, standing

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from research.dashboard.selectors.researches_wanted import Wanted
    from research.selectors.standing import Standing

ON_A_PAGE = 50
_FIGURES: Final = (("sharpe", ratio), ("cagr", signed_percent), ("max_drawdown", percent), ("trades", count))


@dataclass(frozen=True, slots=True)
class Heading:
    """A column one can sort by; `sort` is ARIA's word for how it is sorted now."""

    label: str
    address: str
    sort: str
    style: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One research. `figures`: Sharpe ratio, growth a year, deepest drawdown and trades, as text."""

    research: Research
    stands: Standing
    verdict: str
    figures: list[str]


@dataclass(frozen=True, slots=True)
class Page:
    """`total` counts all that fit, `first` and `last` those shown."""

    wanted: Wanted
    lines: list[Line]
    total: int
    pages: int
    any_at_all: bool

    @property
    def first(self) -> int:
        return (self.wanted.page - 1) * ON_A_PAGE + 1

    @property
    def last(self) -> int:
        return self.first + len(self.lines) - 1

    @property
    def newer(self) -> str:
        return self.wanted.on_page(min(self.wanted.page - 1, self.pages) or 1)

    @property
    def older(self) -> str:
        return self.wanted.on_page(self.wanted.page + 1)

    @property
    def headings(self) -> dict[str, Heading]:
        named = {"id": ("Research", ""), "market": ("Market", ""), "state": ("State", ""),
                 "sharpe": ("Sharpe", "num"), "ended": ("Ended", "num")}  # fmt: skip
        return {
            key: Heading(label, self.wanted.sorted_by(key), _sorted(self.wanted.sort, key), style)
            for key, (label, style) in named.items()
        }


def page(wanted: Wanted) -> Page:
    """A fixed number of queries."""
    found = fitting(wanted)
    total, start = found.count(), (wanted.page - 1) * ON_A_PAGE
    places = list(_ordered(found, wanted.sort).values_list("pk", flat=True)[start : start + ON_A_PAGE])
    return Page(
        wanted, _lines(places), total, max(1, -(-total // ON_A_PAGE)),
        any_at_all=total > 0 or Research.objects.exists(),
    )  # fmt: skip


def choices() -> dict[str, Any]:
    """What the form offers, as (value, label)."""
    return {"states": STATES, "verdicts": VERDICTS, "orders": ORDERS, "markets": markets()}


def fitting(wanted: Wanted) -> QuerySet[Research]:
    """Those that fit, in no order."""
    found: QuerySet[Research] = Research.objects.all()
    if wanted.state == ENDED_ONES:
        found = found.filter(state__in=ENDED)
    elif wanted.state == ACTIVE_ONES:
        found = found.exclude(state__in=ENDED)
    elif wanted.state:
        found = found.filter(state=wanted.state)
    if wanted.market:
        symbol, _, timeframe = wanted.market.partition(" ")
        found = found.filter(symbol=symbol, timeframe=timeframe)
    if wanted.verdict:
        found = found.annotate(label=KT("verdict__label")).filter(label=wanted.verdict)
    for word in wanted.q.split():
        named = Strategy.objects.filter(name__icontains=word).values("pk")
        found = found.filter(Q(brief__icontains=word) | Q(strategy__in=named))
    return found


def _ordered(found: QuerySet[Research], sort: str) -> QuerySet[Research]:
    """What has no value comes last, of equals the newest first."""
    key, falls = sort.removeprefix("-"), sort.startswith("-")
    if key == "id":
        return found.order_by(sort)
    if key == "sharpe":
        found = found.annotate(sharpe=Cast(KT("metrics__sharpe"), FloatField()))
    columns = {"ended": ["ended_at"], "market": ["symbol", "timeframe"]}.get(key, [key])
    last = {"nulls_last": True} if key in {"sharpe", "ended"} else {}
    return found.order_by(*(F(name).desc(**last) if falls else F(name).asc(**last) for name in columns), "-id")


def _lines(places: list[int]) -> list[Line]:
    live = Operation.objects.filter(status__in=LIVE).select_related("worker").defer("spec", "result").order_by("id")
    rows = Research.objects.filter(pk__in=places).select_related("strategy").defer("given", "gates", "overrides")
    by_place = {row.pk: row for row in rows.prefetch_related(Prefetch("operations", live))}
    situation = Situation()
    return [_line(by_place[place], situation) for place in places if place in by_place]


def _line(research: Research, situation: Situation) -> Line:
    done = research.state == State.COMPLETED
    metrics = research.metrics or {}
    return Line(
        research, standing(research, next(iter(research.operations.all()), None), situation),
        str((research.verdict or {}).get("label", "")) if done else "",
        [say(metrics.get(name), form) for name, form in _FIGURES],
    )  # fmt: skip


def _sorted(sort: str, key: str) -> str:
    return {key: "ascending", f"-{key}": "descending"}.get(sort, "")
