"""Checkpoints by time: they cost a small share of it, whatever the disk."""

import time

import pytest

from tests.support.waiting import wait_until
from workers import spacing
from workers.spacing import Spacing


def save(paced, cost):
    """A checkpoint that takes `cost` seconds; returns the seconds until the next is due."""
    with paced.saving():
        began = time.monotonic()
        wait_until(lambda: time.monotonic() - began >= cost, what="it is written", interval=0.001)
    return paced._wait


def test_the_first_is_due_at_once_and_the_next_after_a_while():
    paced = Spacing()
    assert paced.due()
    save(paced, 0.0)
    assert not paced.due()


@pytest.mark.parametrize(("cost", "least", "most"), [(0.0, 0.25, 0.4), (0.03, 1.0, 9.0), (0.4, 10.0, 10.0)])
def test_a_slow_disk_is_used_less_often_but_never_given_up(cost, least, most):
    assert least <= save(Spacing(), cost) <= most
    assert cost / spacing.LONGEST_S <= 0.05, "within the goal up to here"


def test_fixed_seconds_are_kept_whatever_they_cost():
    assert save(Spacing(0.0), 0.01) == 0.0
    assert save(Spacing.of({"checkpoint_every_s": 60}), 0.01) == 60.0
    assert not Spacing(60.0).due()
    assert Spacing.of({}).due()
