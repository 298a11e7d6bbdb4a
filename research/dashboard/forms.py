"""Forms of the dashboard."""

from __future__ import annotations

from typing import Any

from django import forms

from research.models import Dataset
from research.services.researches import LARGEST_SEED

MOST_DATASETS = 200


def markets() -> list[tuple[str, str]]:
    """Symbol and timeframe of what is loaded, as choices."""
    rows = Dataset.objects.order_by("symbol", "timeframe").values_list("symbol", "timeframe").distinct()
    return [(f"{symbol} {timeframe}", f"{symbol} · {timeframe}") for symbol, timeframe in rows[:MOST_DATASETS]]


class StartForm(forms.Form):
    """What a research needs to begin."""

    brief = forms.CharField(
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3, "placeholder": "A momentum strategy that beats holding the index"}),
        help_text="What to look for, in a sentence.",
    )
    market = forms.ChoiceField(label="Market")
    seed = forms.IntegerField(
        required=False, min_value=0, max_value=LARGEST_SEED, help_text="Optional: the same seed repeats every choice."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.markets = markets()
        self.fields["market"] = forms.ChoiceField(label="Market", choices=self.markets)

    @property
    def problems(self) -> str:
        """What is wrong, in a line."""
        said = self.errors.get_json_data().items()
        return " ".join(f"{self[name].label}: {one['message']}" for name, problems in said for one in problems)

    @property
    def values(self) -> dict[str, Any]:
        """Arguments of `services.researches.create`; only of a valid form."""
        symbol, timeframe = self.cleaned_data["market"].rsplit(" ", 1)
        return {
            "brief": self.cleaned_data["brief"], "symbol": symbol, "timeframe": timeframe,
            "seed": self.cleaned_data["seed"],
        }  # fmt: skip
