"""`manage.py data`: bars to do research on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from research.models import Dataset


def row(dataset: Dataset) -> dict[str, Any]:
    """JSON-ready; times are UTC."""
    return {
        "id": dataset.pk, "symbol": dataset.symbol, "timeframe": dataset.timeframe, "bars": dataset.bars,
        "first_at": dataset.first_at.isoformat(), "last_at": dataset.last_at.isoformat(), "sha256": dataset.sha256,
        "size": dataset.size, "source": dataset.source, "note": dataset.note,
        "warnings": [one["message"] for one in dataset.quality.get("findings", []) if one["severity"] == "warning"],
    }  # fmt: skip
