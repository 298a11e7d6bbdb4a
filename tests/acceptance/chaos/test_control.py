"""The control: with the fence cut out the checker finds what counted twice, so that its silence means something."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from ktrdr_site.environment import PROJECT
from tests.chaos import unfenced

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.acceptance


def _with_fence(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.chaos.zombie", str(folder)]
    return subprocess.run(command, cwd=PROJECT, text=True, capture_output=True, check=False)


def _without_fence(folder: Path) -> subprocess.CompletedProcess[str]:
    return unfenced.run(["-m", "tests.chaos.zombie", str(folder)], capture=True)


def _found(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.scenario(34)
def test_without_the_fence_a_woken_workers_result_counts_too_and_the_checker_sees_it(tmp_path: Path) -> None:
    with ThreadPoolExecutor() as pool:  # side by side: both mostly wait for leases and processes
        runs = pool.submit(_with_fence, tmp_path / "with"), pool.submit(_without_fence, tmp_path / "without")
        fenced, open_field = (_found(one.result()) for one in runs)

    assert fenced == {"statuses": ["failed", "completed"], "duplicates": [], "breaches": []}
    assert open_field["statuses"] == ["completed", "completed"]
    assert "one_completed_operation" in open_field["breaches"]
    assert any("completed its training in operations" in words for words in open_field["duplicates"])


def test_the_test_build_can_be_made_of_the_code_as_it_stands(tmp_path: Path) -> None:
    copy = unfenced.build(tmp_path)

    assert (copy / unfenced.MARK).exists()
    assert not unfenced.is_unfenced(), "the project itself keeps its fence"
    for cut in unfenced.cuts():
        assert cut.replace in (copy / cut.file).read_text()
