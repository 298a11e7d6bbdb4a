"""Who leads: one term at a time, renewed by its holder, taken over when it ends; an amnesty when time is odd."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from research.coordinator.leader import Leader, NotLeader
from research.models import Event, Term
from research.runners.hold import open_session
from research.runners.keys import LOCK_LEADER
from research.services import terms
from tests.support import factories
from tests.support.sql import execute, shift
from tests.support.threads import at_once
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pytest_django.fixtures import SettingsWrapper

pytestmark = pytest.mark.django_db(transaction=True)


def lead(label: str = "first") -> Leader:
    return Leader(uuid4(), label)


def test_one_leads_and_another_is_told_so_until_it_leaves() -> None:
    with lead() as first:
        term = terms.present()
        assert term is not None
        assert term.pk == first.term
        with pytest.raises(NotLeader), lead("second"):
            pass
    assert terms.present() is None, "a clean hand-over is immediate"
    with lead("second") as second:
        assert second.term > first.term
    assert Event.objects.filter(code="leader.began").count() == 2


def test_of_several_that_want_to_lead_one_does() -> None:
    leaders: list[Leader] = []

    def enter(label: str) -> str:
        leader = lead(label)
        leader.__enter__()
        leaders.append(leader)
        return label

    try:
        results = at_once(*(lambda n=n: enter(f"candidate {n}") for n in range(5)))
        assert sum(isinstance(one, str) for one in results) == 1
        assert sum(isinstance(one, NotLeader) for one in results) == 4
        assert Term.objects.filter(ended_at=None).count() == 1
    finally:
        for leader in leaders:
            leader.__exit__(None, None, None)


def test_a_leader_that_dies_frees_the_lock_with_its_session() -> None:
    leader = lead().__enter__()
    leader.session.close()  # what the operating system does for a dead process
    with lead("next") as successor:
        assert successor.term > leader.term
    assert Term.objects.get(pk=leader.term).ended_at is not None


def test_a_frozen_leader_is_replaced_when_its_term_ends_and_changes_nothing_when_it_thaws() -> None:
    """Scenario 42."""
    frozen = lead().__enter__()
    with pytest.raises(NotLeader), lead("too early"):
        pass
    shift("term", -4, "lease_expires_at")
    with lead("next") as successor:
        with pytest.raises(terms.Deposed):
            terms.renew(frozen.term)
        with pytest.raises(terms.Deposed):
            terms.must_hold(frozen.term)
        terms.resign(frozen.term)  # whatever it still does is about its own term
        terms.must_hold(successor.term)
        assert wait_until(lambda: frozen.session.closed or not alive(frozen), what="its session was ended")
    frozen.session.close()


def alive(leader: Leader) -> bool:
    return bool(execute("SELECT 1 FROM pg_stat_activity WHERE pid = %(pid)s", pid=leader.session.info.backend_pid))


def test_a_lock_that_no_ended_term_explains_is_not_taken_away() -> None:
    with open_session("somebody else") as other:
        other.execute("SELECT pg_advisory_lock(%s, 0)", [LOCK_LEADER])
        with pytest.raises(NotLeader), lead():
            pass
        assert other.execute("SELECT 1").fetchone() == (1,)


def test_there_is_one_term_in_office_at_a_time() -> None:
    from tests.integration.invariants.refusals import refused

    factories.term()
    with refused("one_term_at_a_time"):
        execute("INSERT INTO research_term (cluster, backend_pid, label, started_at, lease_expires_at, ticked_at,"
                " epoch, amnesty_reason) SELECT cluster, 2, 'x', now(), now(), now(), '', ''"
                " FROM research_term")  # fmt: skip


def test_a_renewal_gives_a_whole_lease_and_only_to_its_own_term() -> None:
    first = factories.term("first")
    second = factories.term("second")
    before = Term.objects.get(pk=first).lease_expires_at
    with pytest.raises(terms.Deposed):
        terms.renew(first)
    assert Term.objects.get(pk=first).lease_expires_at == before
    shift("term", -2, "lease_expires_at", where=f"id = {second}")
    terms.renew(second)
    assert execute("SELECT 1 FROM research_term WHERE id = %(id)s AND lease_expires_at - clock_timestamp()"
                   " BETWEEN '2 s' AND '3 s'", id=second) == 1  # fmt: skip


def test_a_term_whose_lease_ended_applies_nothing_even_when_nobody_took_it() -> None:
    term = factories.term()
    shift("term", -4, "lease_expires_at")
    assert terms.present() is None
    with pytest.raises(terms.Deposed):
        terms.must_hold(term)


# Amnesty -------------------------------------------------------------------------------------------------------------


def test_a_steady_leader_has_no_amnesty() -> None:
    term, amnesty = terms.begin(cluster=uuid4(), backend_pid=1, label="x")
    assert not amnesty
    assert terms.renew(term) == (False, "")


@pytest.fixture
def just_restarted(settings: SettingsWrapper) -> None:
    """However long the server of these tests runs already: it restarted within the grace."""
    settings.ENV = replace(settings.ENV, db_grace=86400.0)


@pytest.mark.usefixtures("just_restarted")
def test_a_database_that_restarted_under_a_leader_brings_an_amnesty() -> None:
    term = factories.term()
    execute("UPDATE research_term SET epoch = 'another life'")
    assert terms.renew(term) == (True, "PostgreSQL restarted")
    shift("term", -86400, "amnesty_until")
    assert terms.renew(term)[0] is False, "it ends after KTRDR_DB_GRACE"


def test_an_amnesty_is_counted_from_when_postgresql_took_connections_again(settings: SettingsWrapper) -> None:
    settings.ENV = replace(settings.ENV, db_grace=0.0)
    for way in (terms.renew, lambda _: terms.begin(cluster=uuid4(), backend_pid=1, label="x")):
        term = factories.term()
        execute("UPDATE research_term SET epoch = 'another life'")
        way(term)
        [until] = Term.objects.filter(ended_at=None).values_list("amnesty_until", flat=True)
        assert execute("SELECT 1 FROM pg_stat_activity WHERE backend_type = 'walwriter' AND backend_start = %(at)s",
                       at=until) == 1  # fmt: skip


@pytest.mark.usefixtures("just_restarted")
def test_a_fresh_leader_is_not_blind_to_a_restart_before_its_time() -> None:
    terms.resign(factories.term())
    execute("UPDATE research_term SET epoch = 'another life'")
    assert terms.begin(cluster=uuid4(), backend_pid=1, label="x")[1] is True


@pytest.mark.usefixtures("just_restarted")
def test_an_amnesty_goes_on_under_the_next_leader() -> None:
    term = factories.term()
    execute("UPDATE research_term SET epoch = 'another life'")
    terms.renew(term)
    _, amnesty = terms.begin(cluster=uuid4(), backend_pid=1, label="x")
    assert amnesty


@pytest.mark.parametrize(("stood", "amnesty"), [(2.3, False), (2.7, True)])
def test_a_leader_that_stood_still_for_over_half_a_lease_judges_nobody(
    settings: SettingsWrapper, stood: float, amnesty: bool
) -> None:
    assert settings.ENV.phase_lease == 5
    term = factories.term()
    shift("term", -stood, "ticked_at")
    assert terms.renew(term) == (amnesty, "the leader itself stood still" if amnesty else "")


def test_the_epoch_names_start_checkpointer_and_timeline() -> None:
    factories.term()
    start, checkpointer, timeline = Term.objects.get().epoch.rsplit("/", 2)
    assert start
    assert checkpointer, "this account may see the checkpointer's start"
    assert timeline == "1"
