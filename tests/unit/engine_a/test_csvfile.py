from __future__ import annotations

import numpy as np
import pytest

from tests.unit.engine_a import cast
from workers.market.csvfile import BadData, parse_csv, read_csv, write_csv

HEADER = "timestamp,open,high,low,close,volume"
GOOD = "2020-01-02,10,11,9,10.5,100"


def load(*lines, header=HEADER, timeframe="1d"):
    return parse_csv("\n".join([header, *lines]) + "\n", "X", timeframe)


def refused(*lines, **options):
    with pytest.raises(BadData) as caught:
        load(*lines, **options)
    return [(problem.line, problem.reason) for problem in caught.value.problems]


def test_the_shipped_nasdaq_file_is_usable_and_its_opens_are_real():
    bars, report = cast.nasdaq()
    assert len(bars) == 5031
    assert bars.sha256 == "3c9ea1991d4cd6f82d76ffd1bee875a8e88229016c541949473825570c023c5f"
    assert max(report.stale_opens.values()) < 0.01
    assert [(finding.code, finding.lines) for finding in report.findings] == [("zero_volume", [4116, 4787])]


@pytest.mark.parametrize("stamp", ["2020-01-02", "2020-01-02T00:00:00Z", "2020-01-02 01:00:00+01:00", "1577923200"])
def test_dates_times_with_offset_and_unix_seconds_mean_the_same_moment(stamp):
    bars, _ = load(f"{stamp},10,11,9,10.5,100")
    assert bars.time.tolist() == [1577923200]


def test_columns_may_come_in_any_order_and_unused_ones_are_named():
    bars, report = load("100,1,10.5,9,11,10,2020-01-02", header="Volume,Adj,Close,Low,High,Open,Timestamp")
    assert (bars.open[0], bars.high[0], bars.low[0], bars.close[0], bars.volume[0]) == (10, 11, 9, 10.5, 100)
    assert report.findings[0].message == "columns not used: adj"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("2020-01-02,10,11,9,10.5,100", "has the timestamp of the line before"),
        ("2020-01-01,10,11,9,10.5,100", "is earlier than the line before; sort by timestamp"),
        ("2020-01-03,10,11,9,,100", "close is missing"),
        ("2020-01-03,10,11,9,1O.5,100", "close '1O.5' is no number"),
        ("2020-01-03,10,nan,9,10.5,100", "high is not finite"),
        ("2020-01-03,10,11,9,10.5,inf", "volume is not finite"),
        ("2020-01-03,10,11,0,10.5,100", "low is not positive"),
        ("2020-01-03,10,9,11,10.5,100", "high is below low"),
        ("2020-01-03,10,11,9,10.5,-1", "volume is negative"),
        ("2020-01-03T09:30,10,11,9,10.5,1",
         "is not at midnight UTC, as the timestamp of a daily bar must be: write its date"),
        ("03/01/2020,10,11,9,10.5,1", "timestamp '03/01/2020' is no date, ISO time or Unix seconds"),
        ("2020-01-03,10,11", "has 3 values, the header has more columns"),
    ],
)  # fmt: skip
def test_unusable_lines_are_refused_with_line_and_reason(line, reason):
    assert (3, reason) in refused(GOOD, line)


def test_all_problems_are_counted_and_the_first_twenty_named_in_order():
    lines = [f"2020-02-{day:02d},10,11,9,x,1" for day in range(1, 29)]
    with pytest.raises(BadData) as caught:
        load(GOOD, *lines, "2020-01-01,10,11,9,10,1")
    assert caught.value.count == 29
    assert [problem.line for problem in caught.value.problems] == list(range(3, 23))
    assert "... and 9 more" in str(caught.value)


def test_files_without_bars_or_with_another_header_are_refused(tmp_path):
    assert refused() == [(1, "there are no bars under the header")]
    assert "has no column timestamp, volume" in refused(GOOD, header="date,open,high,low,close")[0][1]
    binary = tmp_path / "bars.csv"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadData, match="line 1: is not UTF-8 text"):
        read_csv(binary, "X", "1d")


def test_gaps_are_counted_in_weekdays_and_long_holidays_tolerated():
    days = ["2001-09-07", "2001-09-10", "2001-09-17", "2001-09-24"]
    _, report = load(*[f"{day},10,11,9,10.5,100" for day in days])
    assert report.findings == []
    _, report = load(*[f"{day},10,11,9,10.5,100" for day in [*days, "2001-10-03"]])
    (gap,) = report.findings
    assert (gap.code, gap.count, gap.lines) == ("gap", 1, [6])


def test_a_symbol_that_trades_on_weekends_misses_every_day():
    days = [f"2020-01-{day:02d}" for day in range(1, 29) if day != 18]
    _, report = load(*[f"{day},10,11,9,10.5,100" for day in days])
    assert [(finding.code, finding.lines) for finding in report.findings] == [("gap", [19])]


def test_oddities_are_told_and_nothing_is_changed():
    lines = ["2020-01-02,10,11,9,12,0", "2020-01-03,12,13,11,12.5,5", "2020-01-06,12.5,12.5,12.5,12.5,5"]
    bars, report = load(*lines)
    assert np.array_equal(bars.close, [12, 12.5, 12.5])
    found = {finding.code: (finding.count, finding.lines) for finding in report.findings}
    assert found == {"ohlc": (1, [2]), "flat": (1, [4]), "zero_volume": (1, [2]), "stale_open": (2, [3, 4])}
    assert not report.clean
    assert "line" in str(report)


def test_what_is_written_is_read_as_the_same_bits():
    bars, _ = cast.nasdaq()
    daily, _ = parse_csv(write_csv(bars).decode(), "NASDAQ", "1d")
    assert daily.sha256 == bars.sha256
    hourly, _ = load("2020-01-02T10:00:00Z,10,11.1,9,10.3,0.1", "2020-01-02T11:00:00Z,10,11,9,10.5,2", timeframe="1h")
    again, _ = parse_csv(write_csv(hourly).decode(), "X", "1h")
    assert again.sha256 == hourly.sha256
