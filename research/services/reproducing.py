"""A completed research done again, from the same seed, data and memory: does it come to the same bits?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from research.lifecycle.states import State
from research.models import Research, Topic
from research.services.change import change
from research.services.errors import NotFound, Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

_SAME = (
    "brief", "symbol", "timeframe", "dataset", "designer", "seed", "memory_seq", "given", "overrides",
    "holdout_from", "holdout_of", "holdout_opening",
)  # fmt: skip


def reproduce(research_id: int, *, user: Any = None, by: str = "") -> Research:
    """Record a copy of a completed research as `pending`; it counts as no trial. Raises `NotFound`, `Refused`."""
    original = Research.objects.select_related("dataset").filter(pk=research_id).first()
    if original is None:
        raise NotFound(f"There is no research {research_id}.")
    if original.state != State.COMPLETED:
        raise Refused(f"Research {research_id} is {original.state}: only a completed one can be reproduced.")
    name = user.get_username() if user else by
    with change() as record:
        copy = Research.objects.create(
            **{field: getattr(original, field) for field in _SAME}, created_by=user,
            reproduces=original.reproduces or original,
        )  # fmt: skip
        record.event(
            Topic.RESEARCH, "research.created", f"Research {copy.pk} is created to reproduce research {research_id}.",
            research=copy, user=name, seed=copy.seed, reproduces=research_id,
        )  # fmt: skip
    return copy


def compare(original: Mapping[str, Any], copy: Mapping[str, Any]) -> list[dict[str, Any]]:
    """[{"what", "original", "again", "same"}] of two completed researches, as `selectors.researches.detail` gives them.

    Strategy, model, trades and equity by SHA-256; verdict and measures by value.
    """
    return [
        {"what": what, "original": first, "again": second, "same": first == second}
        for (what, first), (_, second) in zip(_compared(original), _compared(copy), strict=True)
    ]


def _compared(found: Mapping[str, Any]) -> list[tuple[str, Any]]:
    strategy = found["strategy"] or {}
    return [
        ("strategy_sha256", strategy.get("sha256")),
        *((name, found[name]) for name in ("model_sha256", "trades_sha256", "equity_sha256")),
        ("verdict", (found["verdict"] or {}).get("label")),
        ("metrics", found["metrics"]),
    ]
