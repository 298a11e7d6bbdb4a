"""The form that loads bars from a CSV file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms

from research.services import datasets
from research.services.errors import ServiceError
from workers.market.bars import TIMEFRAMES

if TYPE_CHECKING:
    from research.services.datasets import Loaded

MOST_MIB = 15  # below what `research.api.limits` takes of any body
_MIB = 2**20
TOO_LARGE = (
    f"At most {MOST_MIB} MiB can be sent. Load a larger file on the server: "
    "manage.py data load FILE --symbol X --timeframe 1d."
)


class LoadForm(forms.Form):
    """`problems` are the lines of what the service refused, the first one says what to do."""

    file = forms.FileField(
        label="CSV file",
        widget=forms.FileInput(
            attrs={"accept": ".csv,text/csv", "data-most": MOST_MIB * _MIB, "data-most-says": TOO_LARGE}
        ),
        help_text=f"Columns timestamp,open,high,low,close,volume; UTF-8, at most {MOST_MIB} MiB.",
    )
    symbol = forms.CharField(max_length=32, help_text="Such as NASDAQ or BTC-USD.")
    timeframe = forms.ChoiceField(choices=[(one, one) for one in TIMEFRAMES], initial="1d")
    note = forms.CharField(max_length=300, required=False, help_text="Where the data comes from, for the record.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.problems: list[str] = []

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > MOST_MIB * _MIB:
            raise forms.ValidationError(TOO_LARGE)
        return file

    def load(self, user: str) -> Loaded | None:
        """Store the bars of a valid form; None, with `problems`, when they are refused: then nothing is stored."""
        given = self.cleaned_data
        try:
            return datasets.load_bytes(
                given["file"].read(), name=given["file"].name, symbol=given["symbol"], timeframe=given["timeframe"],
                note=given["note"], user=user,
            )  # fmt: skip
        except ServiceError as problem:
            self.problems = str(problem).splitlines()
            return None
