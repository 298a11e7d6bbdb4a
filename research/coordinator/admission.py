"""Who may begin: pending researches get a place in order of priority, then of creation."""

from __future__ import annotations

from django.conf import settings
from django.db import connection

from research.lifecycle.step import resume_state
from research.models import Research
from research.services import locks, researches, terms
from research.services.change import change
from workers.faults import point


def capacity() -> int:
    """How many researches may be active at once: KTRDR_MAX_ACTIVE, or connected workers + 1."""
    if settings.ENV.max_active:
        return settings.ENV.max_active
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM research_worker"
            " WHERE last_seen_at > clock_timestamp() - make_interval(secs => lease_s)"
        )
        return int(cursor.fetchone()[0]) + 1


def admit(term: int) -> list[int]:
    """Begin as many pending researches as there are free places. Returns their ids."""
    free = capacity() - Research.objects.active().count()
    if free <= 0:
        return []
    begun = []
    for research_id in Research.objects.pending().values_list("id", flat=True)[:free]:
        with change() as record:
            terms.must_hold(term)
            research = locks.research_or_none(research_id)
            if research is None or research.state != "pending":
                continue
            has_strategy = research.strategy_id is not None or research.given is not None
            researches.begin(record, research, resume_state(has_strategy=has_strategy, gates=research.gates))
        point("research.begun")
        begun.append(research_id)
    return begun
