"""What a chaos run does is decided by its seed alone."""

from __future__ import annotations

from collections import Counter
from itertools import islice

from tests.chaos.orders import Order, orders
from tests.chaos.plan import ACTIONS, TARGETS, Plan


def _first(seed: int, count: int = 400, **more: float) -> list[Order]:
    return list(islice(orders(Plan(seed, kills=count, **more)), count))  # type: ignore[arg-type]


def test_the_same_seed_orders_the_same_strikes() -> None:
    assert _first(3) == _first(3)


def test_another_seed_orders_others() -> None:
    assert _first(3) != _first(4)


def test_a_slower_pace_changes_the_pauses_and_nothing_else() -> None:
    quick, slow = _first(3, pace=0.5), _first(3, pace=2.0)
    assert [(one.action, one.kinds, one.pick, one.seconds) for one in quick] == [
        (one.action, one.kinds, one.pick, one.seconds) for one in slow
    ]
    assert sum(one.pause for one in slow) > 3 * sum(one.pause for one in quick)


def test_every_kind_of_strike_comes_and_meets_every_kind_of_process() -> None:
    found = _first(5, 2000)
    assert {one.action for one in found} == set(ACTIONS)
    for action, targets in TARGETS.items():
        assert {one.kinds[0] for one in found if one.action == action} == set(targets), action


def test_what_weighs_more_is_struck_more_often() -> None:
    first = Counter(one.kinds[0] for one in _first(5, 4000) if one.action == "kill")
    assert first["child"] > first["web"] > first["supervisor"] > 0


def test_an_order_chooses_the_same_of_the_same() -> None:
    for order in _first(6, 50):
        assert order.choose("abcdef") == order.choose("abcdef")
        assert order.choose(["only"]) == "only"
