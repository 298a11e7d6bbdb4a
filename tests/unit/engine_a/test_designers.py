from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from random import Random

import pytest

from research import designers
from research.designers import mutations, novelty
from research.designers.bandit import choose_kind, outcomes
from research.designers.evolution import best, essence, related
from tests.unit.engine_a import cast
from workers.strategy import describe, parse, strategy_sha256
from workers.training.prepare import prepare


def brief(seed, text="", memory=()):
    return designers.Brief(text=text, symbol="NASDAQ", timeframe="1d", seed=seed, memory=memory)


def design(seed, text="", memory=()):
    return propose(seed, text, memory).spec


def propose(seed, text="", memory=(), bars=None):
    return designers.get("evolution").design(replace(brief(seed, text, memory), bars=bars))


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
        "print(json.dumps([d.get('evolution').design(d.Brief('momentum', 'NASDAQ', '1d', s)).spec for s in range(20)]))"
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
        assert {-1, 1} <= set(prepared.label.tolist()) <= {-1, 0, 1}


def test_the_words_of_a_brief_steer_the_design():
    momentum = {"rsi", "bbands", "stoch", "willr", "cci", "cmo", "mfi"}
    assert not any(momentum & set(functions(seed, "Follow the trend")) for seed in range(40))
    assert all(momentum & set(functions(seed, "Buy oversold dips")) for seed in range(40))
    calm = {"natr", "volatility", "volatility_ratio", "bbands"}
    assert all(calm & set(functions(seed, "trend, only in calm markets")) for seed in range(40))
    assert all(parse(design(seed, "go short too")).decision.mode == "long_short" for seed in range(20))


def test_a_good_parent_is_changed_in_one_thing_most_of_the_time():
    parent = trial(3)
    proposals = [propose(seed, memory=(parent,)) for seed in range(100)]
    related = [one for one in proposals if one.parent == parent.seq]
    assert 50 <= len(related) <= 90
    assert len({one.spec["name"] for one in related}) >= 10
    assert all(essence(one.spec) != essence(parent.spec) for one in proposals)


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


def child(seq, parent, change, dsr):
    return replace(trial(seq, dsr=dsr), parent=parent, change=change)


def test_what_changes_brought_is_counted_by_kind():
    memory = [trial(1, dsr=0.5), child(2, 1, "period", 0.7), child(3, 1, "period", 0.4), child(4, 2, "weight", 0.9),
              child(5, 99, "weight", 0.9)]  # fmt: skip
    assert outcomes(memory) == {"period": (1, 1), "weight": (1, 0)}


def test_kinds_of_change_that_helped_are_chosen_more_often_and_none_is_given_up():
    memory = [trial(1, dsr=0.5), *(child(seq, 1, "swap", 0.8) for seq in range(2, 20)),
              *(child(seq, 1, "labels", 0.2) for seq in range(20, 40))]  # fmt: skip
    drawn = [choose_kind(Random(seed), mutations.CHANGES, memory) for seed in range(400)]
    assert drawn.count("swap") > 3 * max(drawn.count(kind) for kind in mutations.CHANGES if kind != "swap")
    assert drawn.count("labels") < drawn.count("period")
    assert set(drawn) >= set(mutations.CHANGES) - {"labels"}


def test_a_proposal_says_what_it_was_made_from():
    memory = tuple(trial(seq) for seq in range(1, 6))
    proposals = [propose(seed, memory=memory) for seed in range(60)]
    changed = [one for one in proposals if one.parent is not None]
    assert 25 <= len(changed) <= 55
    assert {one.parent for one in changed} <= {one.seq for one in memory}
    assert all(one.change in mutations.CHANGES and " — " in one.spec["name"] for one in changed)
    assert all(one.change == "fresh" for one in proposals if one.parent is None)


def test_a_near_duplicate_is_dropped_before_any_training():
    bars, _ = cast.nasdaq()
    memory = tuple(trial(seq, dsr=0.9 - seq / 100) for seq in range(1, 5))
    tried = novelty.Tried(bars, [one.spec for one in memory])
    blind = [propose(seed, memory=memory) for seed in range(80)]
    alike = [one.change in {"period", "swap", "weight", "fresh"} and tried.alike(one.spec) for one in blind]
    assert any(alike)
    for seed, was_alike in enumerate(alike):
        seeing = propose(seed, memory=memory, bars=bars)
        assert (seeing.dropped > 0) == was_alike
        if not was_alike:
            assert seeing.spec == blind[seed].spec
        elif seeing.change in {"period", "swap", "weight", "fresh"}:
            assert not tried.alike(seeing.spec)


def test_a_strategy_is_like_itself_and_unlike_its_opposite():
    bars, _ = cast.nasdaq()
    spec = trial(1).spec
    opposite = {**spec, "rules": [{**rule, "then": -rule["then"]} for rule in spec["rules"]]}
    own, other = novelty.scores(bars, spec), novelty.scores(bars, opposite)
    assert novelty.correlation(own, own) > 0.999
    assert novelty.correlation(own, other) < -0.99
    assert novelty.scores(bars, {"version": 9}) is None


def test_parents_come_from_briefs_about_the_same_where_there_are_such():
    trend = replace(trial(1, dsr=0.6), brief="Follow the trend")
    dips = replace(trial(2, dsr=0.9), brief="Buy oversold dips")
    lost = replace(trial(3, verdict="reject"), brief="calm markets")
    memory = (trend, dips, lost)
    assert related(brief(0, "momentum", memory)) == [trend]
    assert related(brief(0, "what falls reverts", memory)) == [dips]
    assert related(brief(0, "volatility", memory)) == [*memory]
    assert related(brief(0, "", memory)) == [*memory]


def test_an_indicator_is_swapped_for_one_of_the_same_idea_and_the_rules_follow():
    for seed in range(40):
        parent = design(seed)
        changed = mutations.mutate(Random(seed), parent, brief(seed), "swap")
        parse(changed)
        assert len(changed["rules"]) == len(parent["rules"])
        assert changed["indicators"] != parent["indicators"] or " for " not in changed["name"]
