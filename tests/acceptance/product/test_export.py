"""What was found can be taken away, and made again to the last bit: here, and on another machine."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.recovery.cast import MARKET, SHORT, completed, load_sample, show, start
from tests.support.stack import Stack

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.acceptance
HASHES = ("model_sha256", "trades_sha256", "equity_sha256")


def test_a_research_is_exported_and_reproduced_here_and_elsewhere(tmp_path: Path) -> None:
    folder = tmp_path / "export"
    with Stack(tmp_path / "here") as here:
        load_sample(here)
        original = completed(here, start(here, *SHORT))
        here.manage("research", "export", str(original["id"]), str(folder))
        again = here.manage("research", "reproduce", str(original["id"]), "--json", timeout=120)
        refused = here.manage("research", "export", str(original["id"]), str(folder), check=False)
        assert here.manage("recovery", "check", check=False).returncode == 0
        third = show(here, start(here, *SHORT, seed=8))
        held = json.loads(here.manage("research", "holdout", str(original["id"]), "--json", timeout=120).stdout)

    answer = json.loads(again.stdout)
    assert answer["same"] is True
    assert {one["what"] for one in answer["compared"]} == {*HASHES, "strategy_sha256", "verdict", "metrics"}
    assert third["memory_seq"] == original["memory_seq"] + 1, "a reproduction counts as no trial"
    assert (held["state"], held["holdout_of"], held["holdout_opening"]) == ("completed", original["id"], 1)
    assert "opened for the first time" in " ".join(held["verdict"]["why"])
    assert held["model_sha256"] != original["model_sha256"]
    assert refused.returncode == 2
    assert "is there already" in refused.stderr
    manifest = json.loads((folder / "MANIFEST.json").read_text())
    for name, listed in manifest["files"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == listed["sha256"], name
    assert {name: manifest[name] for name in HASHES} == {name: original[name] for name in HASHES}

    with Stack(tmp_path / "there") as there:
        there.manage("data", "load", str(folder / "bars.csv"), *MARKET)
        strategy, seed = str(folder / "strategy.json"), manifest["seed"]
        elsewhere = completed(there, start(there, "--strategy", strategy, seed=seed, brief=original["brief"]))
    assert {name: elsewhere[name] for name in HASHES} == {name: original[name] for name in HASHES}
    assert elsewhere["dataset"]["sha256"] == manifest["dataset_sha256"]
    _assert_fetches_nothing((folder / "sheet.html").read_text(), original["verdict"]["label"])


def _assert_fetches_nothing(sheet: str, label: str) -> None:
    """One file that needs no other, small enough for a mail."""
    assert len(sheet.encode()) < 300_000
    assert label.capitalize() in sheet
    assert sheet.count("<svg") >= 3
    for fetched in ("<script", "<link", "src=", "url(", "@import", 'data-live="'):
        assert fetched not in sheet
