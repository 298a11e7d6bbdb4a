from __future__ import annotations

import json
import subprocess
import sys

import pytest

from research import designers
from research.designers.evolution import best, essence
from tests.unit.engine_a import cast
from workers.strategy import describe, parse, strategy_sha256
from workers.training.prepare import prepare


def brief(seed, text="", memory=()):
    return designers.Brief(text=text, symbol="NASDAQ", timeframe="1d", seed=seed, memory=memory)


def design(seed, text="", memory=()):
    return designers.get("evolution").design(brief(seed, text, memory))


def trial(seq, verdict="inconclusive", dsr=0.6, **changes):
    spec = parse({**design(seq), **changes}).model_dump(mode="json")
    return designers.Memory(spec=spec, verdict=verdict, metrics={"dsr": dsr}, seq=seq)


def functions(seed, text):
    return [indicator.function for indicator in parse(design(seed, text)).indicators.values()]


def test_two_hundred_seeds_give_valid_and_different_strategies():
    strategies = [parse(design(seed)) for seed in range(200)]
    assert len({strategy_sha256(strategy) for strategy in strategies}) >= 150
    assert len({function for s in strategies for function in (i.function for i in s.indicators.values())}) >= 15
    assert all(describe(strategy) for strategy in strategies)


def test_the_same_brief_gives_the_same_strategy_in_every_process():
    memory = tuple(trial(seq) for seq in range(8))
    assert design(5, "momentum", memory) == design(5, "momentum", memory)
    code = (
        "import json; from research import designers as d;"
        "print(json.dumps([d.get('evolution').design(d.Brief('momentum', 'NASDAQ', '1d', s)) for s in range(20)]))"
    )
    answers = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
               for _ in range(2)]  # fmt: skip
    assert answers[0] == answers[1]
    assert json.loads(answers[0]) == [design(seed, "momentum") for seed in range(20)]


def test_every_design_can_be_prepared_on_the_shipped_data():
    bars, _ = cast.nasdaq()
    for seed in range(60):
        prepared = prepare(parse(design(seed)), bars)
        assert prepared.valid.mean() > 0.9
        assert set(prepared.label.tolist()) == {-1, 0, 1}


def test_the_words_of_a_brief_steer_the_design():
    momentum = {"rsi", "bbands", "stoch", "willr", "cci", "cmo", "mfi"}
    assert not any(momentum & set(functions(seed, "Follow the trend")) for seed in range(40))
    assert all(momentum & set(functions(seed, "Buy oversold dips")) for seed in range(40))
    calm = {"natr", "volatility", "volatility_ratio", "bbands"}
    assert all(calm & set(functions(seed, "trend, only in calm markets")) for seed in range(40))
    assert all(parse(design(seed, "go short too")).decision.mode == "long_short" for seed in range(20))


def test_a_good_parent_is_changed_in_one_thing_most_of_the_time():
    parent = trial(3)
    children = [parse(design(seed, memory=(parent,))) for seed in range(100)]
    related = [child for child in children if child.name.startswith(parent.spec["name"] + " — ")]
    assert 50 <= len(related) <= 90
    assert len({child.name for child in related}) >= 10
    assert all(essence(child.model_dump(mode="json")) != essence(parent.spec) for child in children)


def test_rejected_and_broken_trials_are_no_parents():
    rejected = trial(1, verdict="reject")
    broken = designers.Memory(spec={"version": 9}, verdict="promising", metrics={}, seq=2)
    assert best([rejected, broken]) == []
    assert not any(" — " in design(seed, memory=(rejected, broken))["name"] for seed in range(30))


def test_the_best_parents_come_first_and_missing_numbers_last():
    trials = [trial(1, dsr=0.7), trial(2, dsr=None), trial(3, dsr=0.9), trial(4, dsr=float("nan")), trial(5, dsr=0.7)]
    assert [parent.seq for parent in best(trials)] == [3, 5, 1, 4, 2]


def test_what_was_tried_is_not_proposed_again():
    first = design(11)
    tried = designers.Memory(spec=first, verdict="reject", metrics={}, seq=1)
    assert essence(design(11, memory=(tried,))) != essence(first)


def test_generations_of_changes_stay_valid():
    memory = [trial(0)]
    for seq in range(1, 60):
        spec = parse(design(seq, "short momentum", tuple(memory))).model_dump(mode="json")
        memory.append(designers.Memory(spec=spec, verdict="inconclusive", metrics={"dsr": seq / 100}, seq=seq))
    assert len({essence(one.spec) for one in memory}) == 60


def test_an_unknown_designer_is_refused_with_what_was_meant():
    assert designers.names() == ["evolution"]
    with pytest.raises(designers.UnknownDesigner, match="unknown designer 'evolutoin'; did you mean 'evolution'"):
        designers.get("evolutoin")


def test_designers_know_no_django():
    code = "import sys, research.designers; print('django' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"


def test_a_changed_strategy_speaks_only_of_indicators_it_has():
    memory = tuple(trial(seq) for seq in range(6))
    changed = [spec for seed in range(150) if " — " in (spec := design(seed, "", memory))["name"]]
    assert len(changed) > 20
    for spec in changed:
        spoken = {word.strip(".,;:") for word in f"{spec['name'].split(' — ')[0]} {spec['hypothesis']}".split()}
        named = {word for word in spoken if any(c.isdigit() for c in word)}
        assert named <= set(spec["indicators"]), spec["name"]
