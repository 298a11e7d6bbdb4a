from __future__ import annotations

import copy
import json
import subprocess
import sys

import pytest
import yaml

from tests.unit.engine_a import cast
from workers.market.indicators import FUNCTIONS
from workers.strategy import InvalidStrategy, canonical_json, describe, load_text, parse, strategy_sha256


def changed(path, value):
    spec = copy.deepcopy(cast.SPEC)
    *way, last = path.split(".")
    place = spec
    for part in way:
        place = place[int(part)] if isinstance(place, list) else place.setdefault(part, {})
    if isinstance(place, list):
        place.insert(int(last), value)
    else:
        place[last] = value
    return spec


def problems(spec):
    with pytest.raises(InvalidStrategy) as caught:
        parse(spec)
    return {problem.path: problem.message for problem in caught.value.problems}


def test_a_strategy_is_complete_after_parsing_and_survives_its_own_text():
    strategy = parse(cast.SPEC)
    assert strategy.indicators["rsi14"].params == {"period": 14}
    assert (strategy.indicators["rsi14"].input, strategy.indicators["rsi14"].output) == ("close", "value")
    assert canonical_json(parse(json.loads(canonical_json(strategy)))) == canonical_json(strategy)
    assert load_text(canonical_json(strategy)) == strategy
    assert load_text(yaml.safe_dump(strategy.model_dump(mode="json"))) == strategy


def test_the_hash_knows_meaning_and_not_spelling():
    reordered = json.loads(json.dumps(cast.SPEC, sort_keys=True))
    explicit = changed("indicators.rsi14.params", {"period": 14})
    same = {strategy_sha256(parse(spec)) for spec in (cast.SPEC, reordered, explicit, changed("costs.fee_bps", 1))}
    assert len(same) == 1
    assert strategy_sha256(parse(changed("rules.0.then", 0.4))) not in same


@pytest.mark.parametrize(
    ("path", "value", "at", "message"),
    [
        ("indicators.rsi14.function", "rsii", "", "unknown function 'rsii'; did you mean 'rsi'?"),
        ("indicators.rsi14.function", "RSI", "", "unknown function 'RSI'; did you mean 'rsi'?"),
        ("indicators.rsi14.params", {"perid": 5}, ".perid", "rsi has no such parameter; did you mean 'period'?"),
        ("indicators.rsi14.params", {"period": 1}, ".period", "must be between 2 and 400, not 1"),
        ("indicators.rsi14.params", {"period": 9.0}, ".period", "must be a whole number, not 9.0"),
        ("indicators.rsi14.output", "hist", "", "rsi has no output 'hist'; known: value"),
        ("indicators.x", {"function": "adx", "input": "high"}, ".input",
         "adx has its inputs fixed; leave this key out"),
        ("indicators.x", {"function": "macd", "params": {"fast": 30}}, ".params.fast",
         "must be below slow, but 30 >= 26"),
        ("inputs.slop", ["low", "high"], "", "no indicator of this name; did you mean 'slope'?"),
        ("inputs.slope", ["up", "up"], "", "terms must differ: up, up"),
        ("rules.0", {"if": {"rsi": "low"}, "then": 0.1}, ".if.rsi", "unknown input; did you mean 'rsi14'?"),
        ("rules.0", {"if": {"rsi14": "lo"}, "then": 0.1}, ".if.rsi14", "unknown term 'lo'; did you mean 'low'?"),
        ("rules.2", {"if": {"rsi14": "high"}, "then": 0.1}, ".if", "has the same conditions as rule 1; join them"),
        ("rules", [], "", "no rule and no network: nothing could decide; write at least one rule"),
        ("rules.0", {"if": {"rsi14": "low"}, "then": 2}, ".then", "input should be less than or equal to 1, not '2'"),
        ("training.epoch", 3, "", "unknown key; did you mean 'epochs'?"),
        ("rules.0", {"if": {"rsi14": "low"}, "than": 1, "then": 1}, ".than", "unknown key; did you mean 'then'?"),
        ("training.epochs", "3", "", "input should be a valid integer, not '3'"),
        ("training.epochs", True, "", "input should be a valid integer, not 'True'"),
        ("labels.up", float("nan"), "", "input should be a finite number, not 'nan'"),
        ("decision", {"enter": 0.1, "exit": 0.2}, ".exit",
         "must be below enter (0.1), or a position closes as it opens"),
        ("version", 2, "", "input should be 1, not '2'"),
        ("hypothesys", "x", "", "unknown key; did you mean 'hypothesis'?"),
    ],
)  # fmt: skip
def test_every_fault_is_named_with_its_place_and_a_way_out(path, value, at, message):
    assert problems(changed(path, value)) == {path + at: message}


def test_all_faults_are_told_at_once_whatever_kind_they_are():
    spec = changed("training", {"epoch": 3, "seeds": 0})
    spec["indicators"]["slope"]["function"] = "linear_slope"
    spec["rules"][0]["then"] = "up"
    spec["rules"][1]["if"] = {"rsi41": "high"}
    del spec["name"]
    paths = [
        "name",
        "training.epoch",
        "training.seeds",
        "indicators.slope.function",
        "rules.0.then",
        "rules.1.if.rsi41",
    ]
    assert sorted(problems(spec)) == sorted(paths)
    with pytest.raises(InvalidStrategy, match=r"The strategy has 6 problems:\n- ") as caught:
        parse(spec)
    assert "- rules.1.if.rsi41: unknown input; did you mean 'rsi14'?" in str(caught.value)


@pytest.mark.parametrize("data", [None, [], "name: x", 3, {}, {1: 2}, {"rules": 3, "inputs": [], "indicators": {3: 4}}])
def test_nonsense_is_refused_and_breaks_nothing(data):
    assert problems(data)


def test_a_network_needs_no_rules():
    assert parse({**cast.SPEC, "rules": [], "network": {"hidden": 4}}).network.hidden == 4


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: a\nname: b", "line 2, column 1: .*'name' stands twice"),
        ('{"name": 1, "name": 2}', "key 'name' stands twice"),
        ("a: &x [1]\nb: *x", "aliases are not allowed"),
        ("a: [1", "not readable as YAML or JSON"),
        ("a: !!python/object:os.system {}", "not readable as YAML or JSON"),
        ("a: !!int x", "not readable as YAML or JSON"),
        ("? [1]\n: 2", "not readable as YAML or JSON"),
        ("[" * 100_000, "not readable as YAML or JSON"),
        ("a: " + "9" * 5000, "not readable as YAML or JSON"),
        ('{"a": ' + "9" * 5000 + "}", "not readable as YAML or JSON"),
        ("x" * 200_001, "at most 200000 are read"),
        ("just words", "must be a mapping"),
    ],
)
def test_texts_with_traps_are_refused_with_the_place(text, message):
    with pytest.raises(InvalidStrategy, match=message):
        load_text(text)


def test_yaml_words_stay_words():
    spec = {**cast.SPEC, "name": "2020-01-01", "inputs": {"rsi14": ["off", "on"], "slope": ["no", "yes"]}, "rules": [],
            "network": {"hidden": 4}}  # fmt: skip
    text = json.dumps(spec).replace('"off", "on"', "off, on").replace('"no", "yes"', "no, yes") + "\n# a comment"
    assert load_text(text.replace('"2020-01-01"', "2020-01-01")).inputs["rsi14"] == ["off", "on"]


def test_a_strategy_is_described_in_words():
    words = describe(parse(cast.SPEC))
    assert words[0] == "Dips: Low momentum turns up."
    assert "IF rsi14 is low AND slope is up THEN long +0.50." in words
    assert "IF rsi14 is high THEN short -0.50." in words
    assert "Pays 1 bps fee and 1 bps slippage on each side." in words
    for name in FUNCTIONS:
        assert describe(parse(changed("indicators.rsi14", {"function": name})))


def test_reading_a_strategy_needs_no_django_scipy_or_torch():
    code = (
        "import sys, workers.strategy, workers.training.prepare, workers.market.csvfile;"
        "print([m for m in ('django', 'scipy', 'pandas', 'polars', 'torch', 'research') if m in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
