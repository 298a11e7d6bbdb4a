"""The states stand once: subsets, the transition table, and the diagrams of docs/states.md held against it."""

from __future__ import annotations

import re

import pytest

from ktrdr_site.environment import PROJECT
from research.lifecycle.states import (
    ACTIVE,
    COUNTED,
    ENDED,
    EXTERNAL,
    FINISHED,
    IN_PROCESS,
    LIVE,
    OPERATION_TRANSITIONS,
    PHASE_OF,
    RESTARTING,
    RESUMABLE,
    STATE_OF,
    TONE,
    TRANSITIONS,
    Kind,
    Reason,
    State,
    Status,
)


def drawn(title: str) -> set[tuple[str, str]]:
    """The arrows of the Mermaid diagram under a heading."""
    text = (PROJECT / "docs" / "states.md").read_text(encoding="utf-8")
    [diagram] = re.findall(rf"^## {title}\n.*?```mermaid\n(.*?)```", text, re.DOTALL | re.MULTILINE)
    return set(re.findall(r"^\s*(\S+) --> (\w+|\[\*\])", diagram, re.MULTILINE))


def as_arrows(table: dict[str, tuple[str, ...]], first: str) -> set[tuple[str, str]]:
    arrows = {(str(old), str(new)) for old, ways in table.items() for new in ways}
    ends = {(str(old), "[*]") for old, ways in table.items() if not ways}
    return {("[*]", first)} | arrows | ends


def test_the_diagram_of_a_research_is_its_table() -> None:
    assert drawn("Research") == as_arrows(TRANSITIONS, "pending")


def test_the_diagram_of_an_operation_is_its_table() -> None:
    assert drawn("Operation") == as_arrows(OPERATION_TRANSITIONS, "queued")


def test_every_reason_is_explained() -> None:
    text = (PROJECT / "docs" / "states.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)) == set(Reason.values)


def test_subsets_divide_the_states() -> None:
    assert {State.PENDING, *ACTIVE, *ENDED} == set(State)
    assert not set(ACTIVE) & set(ENDED)
    assert set(RESUMABLE) < set(ENDED)
    assert {*LIVE, *FINISHED} == set(Status)
    assert not set(LIVE) & set(FINISHED)
    assert {*IN_PROCESS, *EXTERNAL} == set(Kind)
    assert set(COUNTED) < set(RESTARTING)


def test_every_active_state_has_its_phase() -> None:
    assert set(PHASE_OF) == set(ACTIVE)
    assert {STATE_OF[kind] for kind in Kind} == set(ACTIVE)


def test_every_state_has_a_tone() -> None:
    assert set(TONE) == {*State.values, *Status.values}


@pytest.mark.parametrize("state", [state for state in State if state != State.COMPLETED])
def test_every_research_can_come_to_its_verdict(state: State) -> None:
    reached, open_ends = set(), [state]
    while open_ends:
        now = open_ends.pop()
        reached.add(now)
        open_ends += [new for new in TRANSITIONS[now] if new not in reached]
    assert State.COMPLETED in reached


def test_finished_operations_and_completed_researches_go_nowhere() -> None:
    assert all(not OPERATION_TRANSITIONS[status] for status in FINISHED)
    assert TRANSITIONS[State.COMPLETED] == ()
