"""When the next call is due."""

from __future__ import annotations

import math

import pytest

from workers.agent.pace import MOST_IN_FLIGHT, Pace


def test_one_call_each_heartbeat_and_one_at_once_when_something_happened() -> None:
    pace = Pace(heartbeat=1.0)
    assert pace.due() == -math.inf, "the first comes at once"
    pace.started(0, 10.0, 0.0)
    pace.answered(0)
    assert pace.due() == 11.0
    pace.something_happened()
    assert pace.due() == -math.inf


def test_a_held_call_is_ended_by_what_happens_and_one_on_its_way_is_not() -> None:
    pace = Pace(heartbeat=1.0)
    pace.started(0, 10.0, 1.0)
    pace.something_happened()
    assert pace.due() == -math.inf
    pace.answered(0)
    pace.started(1, 10.0, 0.0)
    pace.something_happened()
    assert pace.due() == 11.0, "it answers in a moment"


def test_a_call_that_hangs_is_overtaken_by_others_up_to_a_limit() -> None:
    pace = Pace(heartbeat=1.0)
    for seq in range(MOST_IN_FLIGHT):
        assert pace.due() < math.inf
        pace.started(seq, float(seq), 0.0)
    assert pace.due() == math.inf


@pytest.mark.parametrize("jitter", [0.0, 0.5, 1.0])
def test_after_failures_the_pause_grows_to_a_heartbeat_with_jitter(jitter: float) -> None:
    pace = Pace(heartbeat=1.0)
    pauses = []
    for seq in range(8):
        pace.started(seq, 0.0, 0.0)
        pace.failed(seq, 0.0, jitter)
        pauses.append(pace.due())
    share = 0.5 + 0.5 * jitter
    assert pauses == pytest.approx([share * pause for pause in (0.1, 0.2, 0.4, 0.8, 1.0, 1.0, 1.0, 1.0)])
    pace.started(8, 0.0, 0.0)
    pace.answered(8)
    assert not pace.failing
