"""The README of an export: what was found, what the files are, and how to make it again."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_FILES = """\
| file | what |
|---|---|
| `sheet.html` | the page of the research, self-contained: open it in a browser |
| `research.json` | everything that is known of it, as `manage.py research show --json` prints it |
| `strategy.json` | the specification: `manage.py research start --strategy` takes it |
| `bars.csv` | the bars it was made on, times in UTC: `manage.py data load` takes them, to the same SHA-256 |
| `training/`, `backtest/` | what the workers left: weights (safetensors), trades (CSV), equity and returns (npy) |
| `backtest/equity.csv` | equity and buy and hold at each close |
| `events.jsonl` | what happened, in order, one JSON object a line |
| `MANIFEST.json` | seeds, versions, and the SHA-256 of every file |
"""
_NOT_ALIKE = (
    "Model, trades and equity then have the hashes that `MANIFEST.json` names. The verdict also depends on how many "
    "trials that machine has counted on this market."
)


def about(found: Mapping[str, Any]) -> str:
    """Markdown; `found` as `selectors.researches.detail`."""
    verdict = found["verdict"] or {}
    parts = [f"# Research {found['id']}: {found['brief']}", ""]
    if verdict:
        parts += [f"Verdict: **{verdict['label']}**.", "", *(f"- {why}" for why in verdict.get("why", [])), ""]
    else:
        parts += [f"It is {found['state']} and has no verdict. {found['message']}".strip(), ""]
    parts += ["## Files", "", _FILES, "## Again", "", *_again(found), ""]
    return "\n".join(parts)


def _again(found: Mapping[str, Any]) -> list[str]:
    market = f"--symbol {found['symbol']} --timeframe {found['timeframe']}"
    brief = shlex.quote(found["brief"])
    return [
        "Where it was made:", "", f"    manage.py research reproduce {found['id']}", "",
        "Anywhere else, with the same versions and CPU features (`MANIFEST.json` names them):", "",
        f"    manage.py data load bars.csv {market}",
        f"    manage.py research start {brief} {market} --strategy strategy.json --seed {found['seed']} --follow", "",
        _NOT_ALIKE,
    ]  # fmt: skip
