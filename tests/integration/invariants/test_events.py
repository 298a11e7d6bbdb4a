"""Events are append-only, numbered without a gap in the order of commits, and no change of status goes without one."""

from __future__ import annotations

import random
from contextlib import suppress
from typing import TYPE_CHECKING

import psycopg
import pytest
from django.db import IntegrityError, connection, transaction

from research.models import Event, Topic
from research.runners.hold import open_session
from research.services.change import change
from tests.integration.invariants.refusals import EVENT, change_of, move_of, refused
from tests.support import factories
from tests.support.sql import attempt, execute
from tests.support.threads import at_once

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.django_db(transaction=True)


def say(text: str = "Something happened.") -> Event:
    with change() as record:
        record.event(Topic.SYSTEM, "test.said", text)
    return Event.objects.get(message=text)


@pytest.mark.parametrize("retention", ["off", "on"])
@pytest.mark.parametrize(
    "setting", ["message = 'other'", "seq = seq + 10", "level = 'error'", "data = '{}'", "xact = 1"]
)
def test_an_event_never_changes_with_or_without_retention(setting: str, retention: str) -> None:
    say()
    with refused("ktrdr.immutable", "UPDATE of research_event refused"):
        attempt(f"SET LOCAL ktrdr.retention = {retention}", f"UPDATE research_event SET {setting}")


def test_an_event_is_deleted_by_retention_alone() -> None:
    row = say()
    with refused("ktrdr.immutable", "DELETE of research_event refused"):
        attempt("DELETE FROM research_event")
    attempt("SET LOCAL ktrdr.retention = on", "DELETE FROM research_event WHERE id = %(id)s", id=row.pk)
    assert not Event.objects.filter(pk=row.pk).exists()
    assert say("And again.").seq == row.seq + 1, "a number is never given twice"


@pytest.fixture
def elsewhere() -> Iterator[psycopg.Connection]:
    """A copy of the test database whose name does not begin with `test_`, and a session in it."""
    name = str(connection.settings_dict["NAME"])
    connection.close()
    with open_session("tests") as own:
        parameters = own.info.get_parameters() | {"dbname": "postgres"}
    with psycopg.connect(**parameters, autocommit=True) as admin:
        admin.execute("DROP DATABASE IF EXISTS records_of_a_test")
        admin.execute(f'CREATE DATABASE records_of_a_test TEMPLATE "{name}"')  # type: ignore[call-overload]
        try:
            with psycopg.connect(**parameters | {"dbname": "records_of_a_test"}, autocommit=True) as session:
                yield session
        finally:
            admin.execute("DROP DATABASE records_of_a_test WITH (FORCE)")


@pytest.mark.parametrize("table", ["event", "operation", "checkpoint", "artifact", "trial", "eventcounter", "research"])
def test_no_record_is_truncated_but_in_a_test_database(elsewhere: psycopg.Connection, table: str) -> None:
    for retention in ("off", "on"):
        with pytest.raises(
            psycopg.errors.RestrictViolation, match=r"ktrdr.immutable: TRUNCATE of research_\w+ refused"
        ):
            elsewhere.execute(f"BEGIN; SET LOCAL ktrdr.retention = {retention}; TRUNCATE research_{table} CASCADE")
        elsewhere.execute("ROLLBACK")


def test_in_a_test_database_the_flush_between_tests_works() -> None:
    say()
    attempt("TRUNCATE research_event")
    assert not Event.objects.exists()


@pytest.mark.parametrize("sql", ["UPDATE research_eventcounter SET last = last + 1",
                                 "UPDATE research_eventcounter SET last = 0", "DELETE FROM research_eventcounter",
                                 "INSERT INTO research_eventcounter (id, last) VALUES (2, 7)"])  # fmt: skip
def test_nothing_but_an_event_moves_the_counter(sql: str) -> None:
    say()
    with refused("ktrdr.counter", "only an event moves it"):
        attempt(sql)


def test_nobody_chooses_an_events_number_time_or_transaction() -> None:
    last = say().seq
    attempt(EVENT.replace("SELECT 0, now()", "SELECT 1000, 'infinity'"), id=factories.queued(
        factories.training_research()).pk, code="operation.noted")  # fmt: skip
    forged = Event.objects.get(code="operation.noted")
    assert forged.seq == Event.objects.count() > last
    assert forged.at.year < 9999
    assert forged.xact > 0


def test_numbers_have_no_gap_and_follow_the_commits_with_8_writers_of_which_some_roll_back() -> None:
    first = say().seq

    def writer(seed: int) -> Callable[[], list[int]]:
        choose = random.Random(seed)

        def write() -> list[int]:
            seen = []
            for turn in range(25):
                with suppress(ZeroDivisionError), transaction.atomic():
                    with suppress(ZeroDivisionError), change() as record:
                        for _ in range(choose.randint(1, 3)):
                            record.event(Topic.SYSTEM, "test.wrote", f"Writer {seed}, turn {turn}.")
                        if choose.random() < 0.2:
                            raise ZeroDivisionError  # before the numbers are taken
                    if choose.random() < 0.3:
                        raise ZeroDivisionError  # after
                newest = Event.objects.order_by("-seq").values_list("seq", flat=True).first()
                seen.append(newest or 0)
            return seen

        return write

    results = at_once(*(writer(seed) for seed in range(8)))
    for seen in results:
        assert isinstance(seen, list), seen
        assert seen == sorted(seen), "what was visible stays the newest"
    numbers = list(Event.objects.filter(code="test.wrote").order_by("seq").values_list("seq", "at", "xact"))
    assert len(numbers) > 100
    assert [seq for seq, _, _ in numbers] == list(range(first + 1, first + len(numbers) + 1))
    times = [at for _, at, _ in numbers]
    assert times == sorted(times)
    runs = [xact for n, (_, _, xact) in enumerate(numbers) if n == 0 or numbers[n - 1][2] != xact]
    assert len(runs) == len(set(runs)), "the events of a transaction stand together"


def test_a_reader_that_saw_a_number_has_seen_all_before_it() -> None:
    """The writer with the lower number commits first: the other one waits for it."""
    with open_session("slow") as slow, open_session("quick") as quick:
        slow.execute("BEGIN")
        insert = ("INSERT INTO research_event (seq, at, topic, code, level, message, worker, \"user\", data, xact)"
                  " VALUES (0, now(), 'system', 'test', 'info', %s, '', '', '{}', 0) RETURNING seq")  # fmt: skip
        lower = slow.execute(insert, ["slow"]).fetchone()
        quick.execute("SET lock_timeout = '300ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            quick.execute(insert, ["quick"])
        assert not Event.objects.filter(message__in=["slow", "quick"]).exists()
        slow.execute("COMMIT")
        higher = quick.execute(insert, ["quick"]).fetchone()
    assert lower is not None
    assert higher == (lower[0] + 1,)


# No change of status without its event in the same transaction -------------------------------------------------------


def test_an_operation_does_not_change_status_without_its_event() -> None:
    queued = factories.queued(factories.designing_research())
    ends = "status = 'cancelled', reason = 'cancelled', message = 'x', ended_at = now()"
    with refused("ktrdr.unrecorded", f"operation {queued.pk} became cancelled without an event that says so"):
        attempt(f"UPDATE research_operation SET {ends} WHERE id = %(id)s", id=queued.pk)
    with refused("ktrdr.unrecorded"):
        change_of(queued.pk, ends, "operation.started")  # an event, but not of this


def test_the_event_of_another_transaction_or_another_operation_does_not_count() -> None:
    queued = factories.queued(factories.designing_research())
    other = factories.queued(factories.training_research())
    attempt(EVENT, id=queued.pk, code="operation.cancelled")
    sql = ("UPDATE research_operation SET status = 'cancelled', reason = 'cancelled', message = 'x', ended_at = now()"
           f" WHERE id = {queued.pk}")  # fmt: skip
    with refused("ktrdr.unrecorded"):
        attempt(sql)
    with refused("ktrdr.unrecorded"):
        attempt(sql, EVENT, id=other.pk, code="operation.cancelled")


def test_an_operation_is_not_created_without_its_event() -> None:
    queued = factories.queued(factories.training_research())
    factories.researches.cancel(queued.research_id)
    parent = factories.training_research()
    with refused("ktrdr.unrecorded", "became queued without an event"):
        attempt(
            "INSERT INTO research_operation (research_id, kind, status, reason, message, attempt, spec, seed, runner,"
            " unit, units, fraction, progress_message, metrics_through, reported, queued_at)"
            " SELECT %(parent)s, kind, 'queued', '', '', 1, spec, seed, '', 0, 0, 0, '', -1, false, now()"
            " FROM research_operation WHERE id = %(id)s", parent=parent.pk, id=queued.pk,
        )  # fmt: skip


def test_a_research_does_not_change_state_without_its_event() -> None:
    row = factories.pending_research()
    with refused("ktrdr.unrecorded", f"research {row.pk} became training without an event that says so"):
        attempt("UPDATE research_research SET state = 'training' WHERE id = %(id)s", id=row.pk)
    with refused("ktrdr.unrecorded"):
        move_of(row.pk, "state = 'training'", "research.created")


def test_a_change_whose_event_is_rolled_back_is_rolled_back_too() -> None:
    row = factories.pending_research()
    with suppress(IntegrityError), transaction.atomic():
        execute("UPDATE research_research SET state = 'training' WHERE id = %(id)s", id=row.pk)
        with suppress(ZeroDivisionError), transaction.atomic():
            execute(
                EVENT.replace("research_id, id,", "%(id)s, NULL,").partition(" FROM ")[0],
                id=row.pk,
                code="research.training",
            )
            raise ZeroDivisionError
    row.refresh_from_db()
    assert row.state == "pending"
