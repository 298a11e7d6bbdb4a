from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from tests.unit.engine_a import cast
from workers.market.bars import BadBars, Bars, periods_per_year


def test_bars_survive_their_bytes_and_equal_bars_give_equal_bytes():
    one, two = cast.bars(), cast.bars()
    back = Bars.from_bytes(one.to_bytes())
    assert one.to_bytes() == two.to_bytes() == back.to_bytes()
    assert (back.symbol, back.timeframe, len(back)) == ("TEST", "1d", 700)
    assert np.array_equal(back.close, one.close)


def test_the_bytes_are_the_same_in_another_process():
    code = "from tests.unit.engine_a import cast; print(cast.bars().sha256)"
    answers = {subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
               for _ in range(3)}  # fmt: skip
    assert answers == {cast.bars().sha256}


def test_one_other_number_gives_another_hash():
    one = cast.bars()
    close = one.close.copy()
    close[-1] = np.nextafter(close[-1], 1e9)
    other = Bars("TEST", "1d", one.time, one.open, one.high, one.low, close, one.volume)
    assert other.sha256 != one.sha256
    assert cast.bars(symbol="OTHER").sha256 != one.sha256


def test_a_slice_holds_the_bars_between():
    part = cast.bars().slice(10, 20)
    assert len(part) == 10
    assert part.time[0] == cast.bars().time[10]


def test_the_columns_cannot_be_written():
    with pytest.raises(ValueError, match="read-only"):
        cast.bars().close[0] = 1.0


@pytest.mark.parametrize("payload", [b"", b"12345678", b"\xff" * 100, cast.bars(5).to_bytes()[:-8]])
def test_bytes_that_are_no_bars_are_refused(payload):
    with pytest.raises(BadBars, match="these bytes are no bars"):
        Bars.from_bytes(payload)


def test_columns_of_other_lengths_and_unknown_timeframes_are_refused():
    one = cast.bars(5)
    with pytest.raises(BadBars, match="volume has shape"):
        Bars("TEST", "1d", one.time, one.open, one.high, one.low, one.close, one.volume[:-1])
    with pytest.raises(BadBars, match="use one of 1m"):
        Bars("TEST", "2d", one.time, one.open, one.high, one.low, one.close, one.volume)


def test_a_year_has_252_days_and_1638_hours():
    assert (periods_per_year("1d"), periods_per_year("1h"), periods_per_year("1w")) == (252, 1638, 52)
