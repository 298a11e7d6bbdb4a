"""A phase from doorbell to end in one process, by the real runner: rung twice, dead half-way, cut off."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from research import designers
from research.coordinator import apply
from research.lifecycle.states import Status
from research.models import Checkpoint, Event, Operation
from research.runners import inprocess
from research.runners.liveness import Amnesty
from tests.integration.machine.clock import execute
from tests.integration.machine.dying import Died, dying
from tests.support import factories
from tests.support.blobs import blob_dir
from tests.support.threads import at_once
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from research.designers import Brief
    from research.models import Research

__all__ = ["blob_dir"]
pytestmark = pytest.mark.django_db(transaction=True)


MOST_WRITES = 60


class Shop:
    """A designer that sells another answer each time, as a language model does; `meanwhile` happens as it thinks."""

    def __init__(self) -> None:
        self.sold = 0
        self.meanwhile: Callable[[], object] = lambda: None

    def design(self, brief: Brief) -> Any:
        self.sold += 1
        self.meanwhile()
        return designers.get("evolution").design(replace(brief, seed=brief.seed + self.sold))


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Shop:
    shop = Shop()
    monkeypatch.setitem(designers._DESIGNERS, "shop", shop)
    return shop


@pytest.fixture
def research(shop: Shop) -> Research:
    row = factories.designing_research(designer="shop")
    shop.sold = 0  # a sample was asked for as the research was checked
    return row


def _rung(operation: Operation) -> None:
    inprocess.run(operation.pk, cluster=uuid4(), label="a cluster")


def _cut(operation: Operation) -> None:
    """Every database session of its runner's own ends, as when PostgreSQL was killed or the network dropped it."""
    execute(f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            f" WHERE application_name = 'ktrdr operation {operation.pk}'")  # fmt: skip


def _tries(row: Research) -> list[tuple[str, str]]:
    return list(Operation.objects.filter(research=row).order_by("id").values_list("status", "reason"))


def test_a_doorbell_rung_by_five_at_once_runs_once(shop: Shop, research: Research) -> None:
    operation = factories.queued(research)
    assert at_once(*[lambda: _rung(operation)] * 5) == [None] * 5
    _rung(operation)

    assert shop.sold == 1
    factories.again(operation, Status.COMPLETED)
    codes = list(Event.objects.filter(operation_id=operation.pk).order_by("seq").values_list("code", flat=True))
    assert codes == ["operation.queued", "operation.started", "operation.completed"]


def test_a_stored_answer_is_never_bought_again_wherever_the_process_died(shop: Shop) -> None:
    answers_kept = 0
    for before in range(1, MOST_WRITES):
        row = factories.designing_research(designer="shop")
        shop.sold = 0
        operation = factories.queued(row)
        with suppress(Died), dying(before):
            _rung(operation)
        bought = shop.sold
        ended = Operation.objects.get(pk=operation.pk).status == Status.COMPLETED
        stored = Checkpoint.objects.filter(operation=operation).exists()
        _goes_on(row)
        answers_kept += stored and not ended
        assert shop.sold == bought + (not (stored or ended)), f"dead before write {before}"
        if ended:
            break
    assert answers_kept > 3, "some deaths came between the answer and the end"
    assert ended


def _goes_on(row: Research) -> None:
    """To the training, with the strategy of the one design that was accepted."""
    for _ in range(3):
        apply.advance(row.pk, factories.term(), Amnesty())
        for again in Operation.objects.queued().filter(research=row, kind="design"):
            _rung(again)
    row.refresh_from_db()
    assert row.state == "training"
    accepted = Operation.objects.get(research=row, kind="design", status=Status.COMPLETED)
    assert accepted.result is not None
    assert row.strategy is not None
    assert row.strategy.spec["name"] == accepted.result["spec"]["name"]


def test_a_runner_that_lost_its_connection_takes_its_lock_again_and_goes_on(shop: Shop, research: Research) -> None:
    operation = factories.queued(research)
    shop.meanwhile = lambda: _cut(operation)
    _rung(operation)

    factories.again(operation, Status.COMPLETED)
    assert shop.sold == 1
    assert _tries(research) == [("completed", "")]


def test_a_runner_that_was_taken_for_dead_while_cut_off_publishes_nothing(shop: Shop, research: Research) -> None:
    operation = factories.queued(research)

    def judged() -> bool:
        _cut(operation)
        apply.advance(research.pk, factories.term(), Amnesty())
        return Operation.objects.get(pk=operation.pk).status == Status.FAILED

    shop.meanwhile = lambda: wait_until(judged, timeout=10, what="the judge saw its lock free")
    _rung(operation)

    assert _tries(research) == [("failed", "orphaned"), ("queued", "")]
    assert not Checkpoint.objects.filter(operation=operation).exists()
    shop.meanwhile = lambda: None
    _rung(Operation.objects.get(research=research, status=Status.QUEUED))
    assert _tries(research) == [("failed", "orphaned"), ("completed", "")]
