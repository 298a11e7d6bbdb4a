"""Both tasks from job to result, as a worker calls them, on generated bars with real indicators."""

import json
from pathlib import Path

import pytest

from tests.unit.engine_b import cast
from workers import backtest, training
from workers.job import Interrupted, InvalidInput, Job


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tasks")
    (folder / "bars").write_bytes(cast.bars(1500).to_bytes())
    return folder


def job(kind, folder, checkpoint=None, **spec):
    files = {"bars": folder / "bars"} | ({"model": folder / "model"} if kind == "backtest" else {})
    return Job(1, kind, {"strategy": cast.spec(), **spec}, 11, checkpoint, files)


@pytest.fixture(scope="module")
def trained(folder):
    reporter = cast.Recorder()
    result = training.run(job("training", folder), reporter)
    (folder / "model").write_bytes(reporter.artifacts["model.safetensors"])
    return result, reporter


def test_a_training_that_was_interrupted_gives_the_same_result_and_model(folder, trained):
    expected, whole = trained
    first = cast.Recorder(stop_after=5)
    with pytest.raises(Interrupted):
        training.run(job("training", folder), first)
    second = cast.Recorder()
    again = training.run(job("training", folder, first.checkpoints[-1][1], checkpoint_every_s=60.0), second)
    assert again == expected
    assert second.artifacts == whole.artifacts


def test_a_backtest_that_was_interrupted_gives_the_same_result_and_files(folder, trained):
    whole, first, second = cast.Recorder(), cast.Recorder(stop_after=1), cast.Recorder()
    expected = backtest.run(job("backtest", folder), whole)
    with pytest.raises(Interrupted):
        backtest.run(job("backtest", folder), first)
    assert backtest.run(job("backtest", folder, first.checkpoints[-1][1]), second) == expected
    assert second.artifacts == whole.artifacts


def test_a_store_that_reorders_keys_changes_nothing(folder, trained):
    reordered = json.loads(json.dumps(cast.spec(), sort_keys=True))
    reordered["inputs"] = dict(reversed(reordered["inputs"].items()))
    reporter = cast.Recorder()
    result = training.run(Job(1, "training", {"strategy": reordered}, 11, None, {"bars": folder / "bars"}), reporter)
    assert result["model_sha256"] == trained[0]["model_sha256"]
    assert result["rules"] == trained[0]["rules"]


@pytest.mark.parametrize(
    ("strategy", "message"),
    [
        ({**cast.SPEC, "nmae": 1}, "nmae"),
        ({**cast.SPEC, "data": {"symbol": "OTHER", "timeframe": "1d"}}, "OTHER"),
        ({**cast.SPEC, "evaluation": {"min_train_bars": 5000}}, "hold-out"),
    ],
)
def test_what_cannot_be_trained_is_said_before_anything_runs(folder, strategy, message):
    with pytest.raises(InvalidInput, match=message):
        training.run(Job(1, "training", {"strategy": strategy}, 1, None, {"bars": folder / "bars"}), cast.Recorder())


def test_bars_that_are_none_are_refused(tmp_path):
    (tmp_path / "bars").write_bytes(b"timestamp,open\n")
    with pytest.raises(InvalidInput, match="no bars"):
        training.run(job("training", Path(tmp_path)), cast.Recorder())


def test_a_model_of_other_bars_is_refused(folder, trained, tmp_path):
    (tmp_path / "bars").write_bytes(cast.bars(1500, seed=9).to_bytes())
    (tmp_path / "model").write_bytes((folder / "model").read_bytes())
    with pytest.raises(InvalidInput, match="another data"):
        backtest.run(job("backtest", tmp_path), cast.Recorder())
