"""The feed of the overview: what was lost, handed over, asked for or went wrong."""

from __future__ import annotations

from django.db.models import Q

from research.models import Event, Level, Topic

MOST = 30
_TOPICS = (Topic.RECOVERY, Topic.OPERATOR, Topic.WORKER)
_LEVELS = (Level.WARNING, Level.ERROR)


def feed() -> list[Event]:
    """The newest first."""
    told = Q(topic__in=_TOPICS) | Q(level__in=_LEVELS)
    return list(Event.objects.filter(told).order_by("-seq").defer("data")[:MOST])
