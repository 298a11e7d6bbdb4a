"""Heartbeat and lease are stretched together: how far, how fast, and that a changing stretch loses nobody."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from research.lifecycle.pace import LONGEST_HEARTBEAT_S, stretch, stretched, told_next

counts = st.integers(0, 100_000)
plain = st.floats(0.05, 30)
rates = st.floats(1, 1000)


def test_few_workers_call_at_the_plain_heartbeat() -> None:
    assert stretch(0, heartbeat=1, rate=200) == stretch(200, heartbeat=1, rate=200) == 1


def test_a_thousand_workers_call_as_often_as_two_hundred() -> None:
    assert stretch(1000, heartbeat=1, rate=200) == 5
    assert stretch(1000, heartbeat=0.5, rate=200) == 10


@given(counts, plain, rates)
def test_all_together_never_call_more_often_than_the_rate_allows(count: int, heartbeat: float, rate: float) -> None:
    told = heartbeat * stretch(count, heartbeat=heartbeat, rate=rate)
    assert count / told <= rate * 1.000001 or told >= LONGEST_HEARTBEAT_S * 0.999999
    assert heartbeat <= told <= max(heartbeat, LONGEST_HEARTBEAT_S) * 1.000001


@given(counts, counts, plain, rates)
def test_more_workers_never_call_more_often_each(one: int, other: int, heartbeat: float, rate: float) -> None:
    few, many = sorted((one, other))
    assert stretch(few, heartbeat=heartbeat, rate=rate) <= stretch(many, heartbeat=heartbeat, rate=rate)


def test_settings_of_zero_stretch_nothing() -> None:
    assert stretch(1000, heartbeat=0, rate=200) == stretch(1000, heartbeat=1, rate=0) == stretched(5, 0) == 1


@given(st.floats(1, 100), st.floats(1, 100))
def test_what_is_told_grows_at_once_and_falls_in_steps(told: float, wanted: float) -> None:
    after = told_next(told, wanted)
    assert after >= wanted
    assert after >= told * 0.8
    assert after in (wanted, told * 0.8)


@given(st.floats(1, 30), st.floats(1, 30), st.integers(0, 4))
def test_a_worker_that_misses_answers_calls_again_before_the_lease_it_is_judged_by_ends(
    told: float, wanted: float, lost: int
) -> None:
    """Its answers are lost: it keeps its old heartbeat (1 s, stretched); the backend counts ever shorter leases."""
    judged = told
    for _ in range(lost + 1):
        judged = told_next(judged, wanted)
    assert 6 * judged > told


def test_what_a_worker_was_told_says_how_far_it_is_stretched() -> None:
    assert stretched(5, 1) == 5
    assert stretched(0.5, 1) == 1, "a shorter heartbeat, told by another setting, makes nobody suspect sooner"
