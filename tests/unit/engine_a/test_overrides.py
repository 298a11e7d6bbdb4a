from __future__ import annotations

import copy

import pytest

from tests.unit.engine_a import cast
from workers.strategy import InvalidStrategy, parse, with_overrides


def test_values_are_yaml_and_land_where_the_path_says():
    changed = with_overrides(
        cast.SPEC,
        ["training.epochs=5000", "training.patience=null", "training.learning_rate=1e-3", "rules.0.then=-0.25",
         "indicators.rsi14.params.period=7", "inputs.slope=[low, mid, up]", "network.hidden=8", "name=a = b"],
    )  # fmt: skip
    strategy = parse(changed)
    assert (strategy.training.epochs, strategy.training.patience) == (5000, None)
    assert strategy.training.learning_rate == 0.001
    assert strategy.rules[0].then == -0.25
    assert strategy.indicators["rsi14"].params == {"period": 7}
    assert strategy.inputs["slope"] == ["low", "mid", "up"]
    assert (strategy.network.hidden, strategy.name) == (8, "a = b")


def test_what_was_given_stays_as_it_was():
    before = copy.deepcopy(cast.SPEC)
    with_overrides(cast.SPEC, ["rules.0.then=0", "labels.up=2"])
    assert before == cast.SPEC


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("training.epoch=5", "training.epoch: unknown key 'epoch'; did you mean 'epochs'?"),
        ("trainin.epochs=5", "trainin.epochs: unknown key 'trainin'; did you mean 'training'?"),
        ("indicators.rsi15.function=rsi", "indicators.rsi15.function: unknown name 'rsi15'; did you mean 'rsi14'?"),
        ("rules.2.then=1", "rules.2.then: no position '2'; there are 2, counted from 0"),
        ("rules.x=1", "rules.x: no position 'x'; there are 2, counted from 0"),
        ("rules.0.thn=1", "rules.0.thn: unknown key 'thn'; did you mean 'then'?"),
        ("name.first=1", "name.first: name is a value: nothing can be set within it"),
        ("training", "training: write PATH=VALUE, such as training.epochs=100"),
        ("=3", "write PATH=VALUE, such as training.epochs=100"),
        ("training.epochs=[", "training.epochs: not readable as YAML or JSON"),
        ("training.epochs.more=3", "training.epochs.more: epochs is a value: nothing can be set within it"),
    ],
)
def test_paths_that_do_not_exist_are_refused_with_what_was_meant(override, message):
    spec = {**cast.SPEC, "training": {"epochs": 3}}
    with pytest.raises(InvalidStrategy) as caught:
        with_overrides(spec, [override])
    assert message in str(caught.value)


def test_all_bad_overrides_are_told_at_once():
    with pytest.raises(InvalidStrategy) as caught:
        with_overrides(cast.SPEC, ["a=1", "training.epochs=3", "b"])
    assert [problem.path for problem in caught.value.problems] == ["a", "b"]


def test_a_value_out_of_range_is_left_to_parse():
    with pytest.raises(InvalidStrategy, match=r"training\.epochs: input should be greater than or equal to 1"):
        parse(with_overrides(cast.SPEC, ["training.epochs=0"]))
