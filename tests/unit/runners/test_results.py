"""What an in-process phase may return."""

from __future__ import annotations

import math

import pytest

from research.runners.inprocess import _storable


@pytest.mark.parametrize("value", [math.nan, math.inf, "a\x00b", {"deep": [math.nan]}])
def test_what_postgresql_cannot_hold_is_an_error_of_the_work_and_not_a_lost_runner(value: object) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        _storable({"verdict": value})


def test_a_plain_result_passes_as_it_is() -> None:
    result = {"verdict": {"label": "reject"}, "sharpe": 0.3, "none": None, "text": "a \\u0000 in words"[:3]}
    assert _storable(result) == result
