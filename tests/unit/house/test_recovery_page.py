"""docs/recovery.md explains everything an operator can meet, and nothing that is not there."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pytest

from ktrdr_site.environment import PROJECT, Environment
from research.lifecycle.states import ACTIVE, Reason, State
from research.selectors.standing import Code

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = (PROJECT / "docs" / "recovery.md").read_text()
FILLED = {
    "reason": sorted(set(Reason.values) - {Reason.GAVE_UP, Reason.CANCELLED}),  # of an operation that failed
    "state": sorted(set(ACTIVE) - {State.DESIGNING}),  # that a research moves on to
}
HANDOFF = (
    "test_orphaned_design_detected_running_child_no_task", "test_simulate_restart_orphan_detected",
    "test_orphaned_assessment_detected", "test_training_not_affected_by_orphan_detection",
    "test_training_continues_after_simulated_restart", "test_backtesting_not_affected_by_orphan_detection",
    "test_design_with_task_not_considered_orphan", "test_orphan_child_marked_failed_with_clear_message",
    "test_orphan_detection_logs_warning", "test_multiple_researches_orphan_detection",
    "test_resume_starts_coordinator_when_active_ops_exist", "test_resume_noop_when_no_active_ops",
    "test_resume_noop_when_only_completed_ops", "test_resume_detects_orphans_on_first_cycle",
)  # fmt: skip


def section(title: str) -> str:
    return PAGE.split(f"## {title}\n")[1].split("\n## ")[0]


def codes_of(text: str) -> set[str]:
    return set(re.findall(r"`([a-z_.]+)`", text))


def emitted() -> set[str]:
    """The code of every event that is written anywhere."""
    files = [path for home in ("research", "ktrdr_site") for path in (PROJECT / home).rglob("*.py")]
    return {code for path in files if "migrations" not in path.parts for code in _in(path.read_text(), str(path))}


def _in(source: str, path: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        at = {"event": 1, "_move": 3}.get(name)
        if at is None or len(node.args) <= at:
            continue
        found = set(_codes(node.args[at]))
        assert found or ast.unparse(node.args[at]) == "code", f"{path}:{node.lineno}: the code cannot be told"
        yield from found


def _codes(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Constant(value=str(code)):
            yield code
        case ast.IfExp(body=one, orelse=other):
            yield from (*_codes(one), *_codes(other))
        case ast.BinOp(left=first, right=second):
            yield from (one + other for one in _codes(first) for other in _codes(second))
        case ast.JoinedStr(values=[ast.Constant(value=str(home)), ast.FormattedValue(value=ast.Name(id=name))]):
            yield from (f"{home}{value}" for value in FILLED[name])


def test_every_event_that_is_written_is_explained_and_every_explained_one_is_written() -> None:
    rows = [line for line in section("What each event means").splitlines() if line.startswith("| `")]
    explained = {code for row in rows for code in codes_of(row.split("|")[1])}
    assert explained == emitted()
    assert len(explained) > 25


def test_every_situation_of_a_research_is_explained() -> None:
    rows = [line for line in section("What died, is it safe, what must I do?").splitlines() if line.startswith("| ")]
    explained = [code for row in rows[1:] for code in re.findall(r"`(\w+)`", row.split("|")[2])]
    assert sorted(explained) == sorted(Code)


def test_every_limit_is_named_with_its_setting_and_its_default() -> None:
    said = re.findall(r"`KTRDR_(\w+)` \(([\d.]+)", section("Limits"))
    assert len(said) > 12
    for name, default in said:
        assert getattr(Environment(), name.lower()) == float(default), name


@pytest.mark.parametrize("name", HANDOFF)
def test_every_test_of_the_handoff_has_its_counterpart(name: str) -> None:
    assert f"`{name}`" in section("The handoff's tests and ours")
