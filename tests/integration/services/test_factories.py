"""The named states that other tests begin from can be built, and the checker finds nothing wrong with them."""

from __future__ import annotations

import pytest

from research.lifecycle.states import State
from research.selectors.invariants import check
from tests.support import factories

pytestmark = pytest.mark.django_db(transaction=True)


def test_every_named_state_can_be_built_and_is_clean() -> None:
    factories.pending_research()
    for state in (State.DESIGNING, State.TRAINING, State.BACKTESTING, State.ASSESSING):
        factories.research_in(state)
    factories.completed_research()
    factories.failed_research()
    factories.cancelled_research(State.BACKTESTING)
    factories.claimed()
    factories.training_on(factories.worker("gpu"))
    factories.orphaned_training(unit=4)
    assert check(deep=True).as_dict()["breaches"] == []
