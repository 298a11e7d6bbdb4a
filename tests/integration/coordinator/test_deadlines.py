"""A deadline that passed is told from a loss, also when the runner was the first to see it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.conf import settings

from tests.integration.coordinator.cast import covered, held_design, let_go, tick, tries
from tests.support import factories
from tests.support.sql import execute

if TYPE_CHECKING:
    from research.models import Operation
    from research.runners.hold import Hold

pytestmark = pytest.mark.django_db(transaction=True)
design = pytest.fixture(name="design")(held_design)


@pytest.fixture
def term() -> int:
    covered()
    return factories.term()


@pytest.mark.scenario(28)
def test_a_runner_that_ended_itself_at_its_deadline_was_not_lost(term: int, design: tuple[Operation, Hold]) -> None:
    operation, hold = design
    _renewed(operation, after_its_deadline=0.1)
    let_go(hold)  # the lease thread ends its process
    tick(term)
    assert tries(operation.research) == [("design", "failed", "timed_out"), ("design", "queued", "")]


@pytest.mark.scenario(28)
def test_a_runner_that_was_gone_before_its_deadline_was_lost(term: int, design: tuple[Operation, Hold]) -> None:
    operation, hold = design
    _renewed(operation, after_its_deadline=-0.1)
    let_go(hold)
    tick(term)
    assert tries(operation.research) == [("design", "failed", "orphaned"), ("design", "queued", "")]


def _renewed(operation: Operation, *, after_its_deadline: float) -> None:
    """Its lease was last renewed so many seconds after its deadline, which passed two seconds ago."""
    execute(
        "UPDATE research_operation SET deadline_at = clock_timestamp() - interval '2 s',"
        " lease_expires_at = clock_timestamp() + make_interval(secs => %(left)s) WHERE id = %(id)s",
        left=settings.ENV.phase_lease - 2 + after_its_deadline, id=operation.pk,
    )  # fmt: skip
