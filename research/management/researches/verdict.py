"""What a research found, in words."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any, Final

from research.management.terminal import number, percent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from research.management.terminal import Out

TONE: Final = {"promising": "good", "inconclusive": "warn", "reject": "bad"}
_PERCENT = {"cagr", "max_drawdown", "exposure"}
_NAMES: Final = {
    "sharpe": "Sharpe ratio", "cagr": "growth a year", "max_drawdown": "worst draw-down", "trades": "trades",
    "exposure": "time in the market", "turnover": "turnover a year", "psr": "probability of skill",
    "dsr": "… after all the trials",
}  # fmt: skip


def tell(out: Out, found: Mapping[str, Any]) -> None:
    """The verdict, why, and the measures; `found` as `selectors.researches.detail`."""
    verdict = found["verdict"]
    label = str(verdict["label"])
    out.line(f"{out.tint('Verdict:', 'strong')} {out.tint(label.upper(), TONE.get(label, ''))}")
    for sentence in verdict.get("why", []):
        out.line(textwrap.fill(str(sentence), min(out.width, 100), initial_indent="  ", subsequent_indent="    "))
    if rows := metrics_rows(found["metrics"]):
        out.line()
        out.pairs([(f"  {name}", value) for name, value in rows])


def metrics_rows(metrics: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Name and value of the measures there are."""
    return [(name, _form(key, metrics[key])) for key, name in _NAMES.items() if metrics.get(key) is not None]


def _form(key: str, value: Any) -> str:
    if key == "trades":
        return str(value)
    return percent(value) if key in _PERCENT else number(value)
