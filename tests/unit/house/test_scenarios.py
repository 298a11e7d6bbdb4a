"""Every scenario of the contract has its tests, the docs say which, and each test was seen to fail."""

from __future__ import annotations

import pytest

from ktrdr_site.environment import PROJECT
from tests.scenarios.marks import rows, shown
from tests.scenarios.sabotages import Sabotage, sabotages, source
from tests.scenarios.table import PAGE, table


def test_the_page_shows_every_scenario_with_the_tests_that_are_marked_with_it() -> None:
    assert table() in PAGE.read_text(), "run: python -m tests.scenarios.table"


def test_every_mark_names_a_scenario_of_the_contract() -> None:
    assert {one.number for one in shown()} <= {row.number for row in rows()}


@pytest.mark.parametrize("one", sabotages(), ids=lambda one: one.what)
def test_every_sabotage_still_fits_the_code_and_names_tests_that_exist(one: Sabotage) -> None:
    for edit in one.edits:
        assert (PROJECT / edit.file).read_text().count(edit.find) == 1, f"{edit.file}: {edit.find!r}"
    for test in one.tests:
        name = test.split("::")[-1].split("[")[0]
        assert f"def {name}(" in source(test).read_text(), test


def test_every_scenario_is_shown_at_each_of_its_levels() -> None:
    there = {(one.number, one.level) for one in shown()}
    missing = [f"{row.number} {level}" for row in rows() for level in row.levels if (row.number, level) not in there]
    assert not missing


def test_every_scenario_was_seen_to_fail_with_a_mechanism_switched_off() -> None:
    covered = {number for one in sabotages() for number in one.rows}
    assert not [row.number for row in rows() if row.number not in covered]
