"""How losses are counted, how long is waited after them, and where a resumed research goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from research.lifecycle.states import COUNTED, RESTARTING, Kind, Reason, State, Status
from research.lifecycle.step import LONGEST_BACKOFF_S, backoff, resume_state, streaks
from tests.unit.lifecycle.cast import lost, one

if TYPE_CHECKING:
    from collections.abc import Mapping

O, I, T, C = Reason.ORPHANED, Reason.INTERRUPTED, Reason.TIMED_OUT, Reason.CRASHED  # noqa: E741


@pytest.mark.parametrize(
    ("reasons", "expected"),
    [
        ([], (0, 0)),
        ([O], (1, 0)),
        ([O, T, C], (3, 0)),
        ([O, I, O, I], (2, 2)),
        (["orphaned+"], (0, 0)),
        ([O, O, "orphaned+", O], (1, 0)),
        ([O, O, "interrupted+", I], (0, 1)),
        (["crashed+", O, I], (1, 1)),
    ],
)
def test_losses_and_hand_overs_count_back_to_the_newest_progress(
    reasons: list[str], expected: tuple[int, int]
) -> None:  # fmt: skip
    assert streaks(lost(*reasons)) == expected


def test_saving_again_what_was_given_is_no_progress() -> None:
    assert streaks([one(Kind.TRAINING, Status.FAILED, reason=O, resumed_from_unit=40, best_unit=40)]) == (1, 0)
    assert streaks([one(Kind.TRAINING, Status.FAILED, reason=O, resumed_from_unit=40, best_unit=41)]) == (0, 0)


def test_an_unreported_assignment_neither_counts_nor_resets() -> None:
    tries = [*lost(O, O), *lost(O, first=3, reported=False), *lost(O, first=4)]
    assert streaks(tries) == (3, 0)


def test_the_wait_doubles_from_nothing_to_a_minute() -> None:
    assert [backoff(lost) for lost in range(9)] == [0, 0, 1, 2, 4, 8, 16, 32, 60]
    assert backoff(1000) == LONGEST_BACKOFF_S


@given(st.lists(st.sampled_from([*RESTARTING, *(f"{reason}+" for reason in RESTARTING)]), max_size=30))
def test_a_loss_without_progress_raises_its_own_count_by_one(reasons: list[str]) -> None:
    before = streaks(lost(*reasons))
    for reason in RESTARTING:
        after = streaks(lost(*reasons, reason))
        grown = (1, 0) if reason in COUNTED else (0, 1)
        assert after == (before[0] + grown[0], before[1] + grown[1])
        assert streaks(lost(*reasons, f"{reason}+")) == (0, 0)


@pytest.mark.parametrize(
    ("has_strategy", "gates", "state"),
    [
        (False, {}, State.DESIGNING),
        (True, {}, State.TRAINING),
        (True, {"training": {"passed": True}}, State.BACKTESTING),
        (True, {"training": {"passed": False}}, State.BACKTESTING),
        (True, {"training": {"passed": False, "skip_backtest": True}}, State.ASSESSING),
        (True, {"training": {"passed": True}, "backtest": {"passed": False}}, State.ASSESSING),
    ],
)
def test_a_resumed_research_goes_on_in_the_first_phase_that_left_nothing(
    has_strategy: bool, gates: Mapping[str, object], state: State
) -> None:
    assert resume_state(has_strategy=has_strategy, gates=gates) == state
