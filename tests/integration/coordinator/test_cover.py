"""The lease clock: leases of workers run only while some web process can hear; and silence that is ours."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest

from research.models import Cover, Event
from research.runners.hold import open_session
from research.runners.keys import LOCK_COVER
from research.services import cover, silence
from tests.support import factories
from tests.support.sql import execute, shift

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg
    from pytest_django.fixtures import SettingsWrapper

pytestmark = pytest.mark.django_db(transaction=True)


class Web:
    """A web process: its listening session holds the cover lock."""

    def __init__(self, session: psycopg.Connection) -> None:
        self.id: UUID = uuid4()
        self.session = session
        session.execute("SELECT pg_advisory_lock_shared(%s, 0)", [LOCK_COVER])

    def start(self) -> Web:
        cover.start(self.id, self.session.info.backend_pid, "web")
        return self

    def note(self) -> None:
        cover.note(self.id)


@pytest.fixture
def sessions() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def web(sessions: ExitStack) -> Web:
    return Web(sessions.enter_context(open_session("ktrdr listen"))).start()


def passes(seconds: float) -> None:
    """Time passes for everything that is noted."""
    shift("cover", -seconds, "up_since", "noted_at")
    execute("UPDATE research_webprocess SET noted_at = noted_at - make_interval(secs => %(by)s)", by=seconds)


def covered_for() -> float:
    row = Cover.objects.get()
    return (row.noted_at - row.up_since).total_seconds()


def test_notes_every_second_keep_one_cover(sessions: ExitStack) -> None:
    one = web(sessions)
    for _ in range(5):
        passes(1)
        one.note()
    assert covered_for() >= 5


def test_a_process_that_stood_still_cannot_bridge_its_own_gap(sessions: ExitStack) -> None:
    one = web(sessions)
    passes(60)
    one.note()
    assert covered_for() < 1
    passes(1)
    one.note()
    assert 1 <= covered_for() < 2


def test_while_one_of_two_covers_there_is_no_gap(sessions: ExitStack) -> None:
    one, two = web(sessions), web(sessions)
    for turn in range(6):
        passes(1)
        (one if turn < 3 else two).note()
    assert covered_for() >= 6


def test_a_process_that_starts_while_another_covers_goes_on_with_its_cover(sessions: ExitStack) -> None:
    one = web(sessions)
    passes(1)
    one.note()
    web(sessions)
    assert covered_for() >= 1


def test_a_process_that_starts_while_nobody_covers_begins_anew_however_short_the_gap(sessions: ExitStack) -> None:
    """Its predecessor was killed a moment ago; its note is fresh, but its session is gone."""
    one = web(sessions)
    passes(1)
    one.note()
    one.session.close()
    web(sessions)
    assert covered_for() < 0.5


def test_a_predecessor_whose_session_lives_but_who_notes_no_more_covers_nothing(sessions: ExitStack) -> None:
    web(sessions)
    passes(10)
    web(sessions)
    assert covered_for() < 0.5


def test_a_lock_of_another_database_session_that_is_no_web_process_covers_nothing(sessions: ExitStack) -> None:
    one = web(sessions)
    passes(1)
    one.note()
    one.session.close()
    Web(sessions.enter_context(open_session("stranger")))
    web(sessions)
    assert covered_for() < 0.5


# Correlated silence --------------------------------------------------------------------------------------------------


@pytest.fixture
def covered(sessions: ExitStack) -> Web:
    one = web(sessions)
    execute("UPDATE research_cover SET up_since = up_since - interval '1 h'")
    return one


def silent(name: str, seconds: float = 4) -> None:
    shift("worker", -seconds, "last_seen_at", where=f"name = '{name}'")


def workers(*names: str, entry: str = "here:8000") -> None:
    for name in names:
        factories.worker(name, entry=entry)


def in_amnesty() -> bool:
    return Cover.objects.filter(silence_since__isnull=False, silence_ended=False).exists()


def test_most_workers_of_an_entry_silent_together_are_an_episode_told_once(covered: Web) -> None:
    workers("a", "b", "c")
    silent("a")
    silent("b")
    assert silence.watch()
    assert not silence.watch()
    assert in_amnesty()
    [event] = Event.objects.filter(code="workers.silent_together")
    assert "2 of 3 workers that come through here:8000" in event.message
    assert event.level == "warning"


@pytest.mark.parametrize("gone", [(), ("a",), ("a", "b")])
def test_one_alone_or_the_lesser_half_are_no_episode(covered: Web, gone: tuple[str, ...]) -> None:
    workers("a", "b", "c", "d")
    for name in gone:
        silent(name)
    assert not silence.watch()
    assert not in_amnesty()


def test_a_single_worker_that_falls_silent_is_no_episode(covered: Web) -> None:
    workers("a")
    silent("a")
    assert not silence.watch()


def test_a_short_heartbeat_makes_nobody_suspect_sooner(covered: Web, settings: SettingsWrapper) -> None:
    settings.ENV = replace(settings.ENV, heartbeat=0.5, suspect=8.0)
    workers("a", "b")
    execute("UPDATE research_worker SET heartbeat_s = 0.5")
    silent("a", 6)
    silent("b", 6)
    assert not silence.watch()
    silent("a", 3)
    silent("b", 3)
    assert silence.watch()


def test_entry_points_are_judged_apart(covered: Web) -> None:
    workers("a", "b", entry="east:8000")
    workers("c", "d", "e", entry="west:8000")
    for name in ("a", "b"):
        silent(name)
    assert silence.watch()
    assert "east:8000" in Event.objects.get(code="workers.silent_together").message


def test_an_episode_ends_when_they_are_back_and_another_may_begin(covered: Web) -> None:
    workers("a", "b")
    silent("a")
    silent("b")
    assert silence.watch()
    execute("UPDATE research_worker SET last_seen_at = clock_timestamp()")
    assert not silence.watch()
    assert not in_amnesty()
    silent("a")
    silent("b")
    assert silence.watch()


def test_workers_that_leave_together_are_no_episode(covered: Web) -> None:
    workers("a", "b")
    execute("UPDATE research_worker SET draining = true")
    silent("a")
    silent("b")
    assert not silence.watch()


def test_after_our_own_outage_nobody_was_silent_yet(sessions: ExitStack) -> None:
    """Workers could not be heard while no web process was up; that is no fault of the network between them and us."""
    workers("a", "b", "c")
    for name in ("a", "b", "c"):
        silent(name, 12)
    web(sessions)
    assert not silence.watch()
    shift("cover", -4, "up_since")
    assert silence.watch(), "but silence that goes on after we are back is"
