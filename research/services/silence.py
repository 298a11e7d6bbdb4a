"""Correlated silence is ours: when most workers of one entry point go silent together, no lease ends for a while."""

from __future__ import annotations

from django.conf import settings
from django.db import connection

from research.lifecycle.pace import stretched_sql
from research.models import Level, Topic
from research.services.change import change

# Counted are workers heard of lately; silent ones among them have passed KTRDR_SUSPECT (stretched as their
# heartbeats are) but not yet been gone for long.
# Nobody was silent while no web process could hear.
_STRETCHED = stretched_sql("w")
_GROUPS = f"""
SELECT entry,
       count(*) FILTER (WHERE greatest(last_seen_at, (SELECT up_since FROM research_cover WHERE id = 1))
                              < clock_timestamp() - make_interval(secs => %(suspect)s * {_STRETCHED})),
       count(*), max({_STRETCHED})
FROM research_worker w WHERE session IS NOT NULL AND NOT draining
  AND last_seen_at > clock_timestamp() - make_interval(secs => (%(amnesty)s + %(lease)s) * {_STRETCHED})
GROUP BY entry
"""  # noqa: S608 - our own constants


def watch() -> bool:
    """Begin or end an episode of silence, once a second. True when one has just begun."""
    env = settings.ENV
    with connection.cursor() as cursor:
        cursor.execute(_GROUPS, {name: getattr(env, name) for name in ("suspect", "heartbeat", "amnesty", "lease")})
        groups = cursor.fetchall()
        together = [
            (entry, silent, known, by) for entry, silent, known, by in groups if silent >= 2 and silent * 2 > known
        ]
        if not together:
            cursor.execute("UPDATE research_cover SET silence_ended = true WHERE NOT silence_ended")
            return False
    with change() as record, connection.cursor() as cursor:
        cursor.execute(
            "UPDATE research_cover SET silence_since = clock_timestamp(), silence_ended = false"
            " WHERE id = 1 AND silence_ended AND noted_at > clock_timestamp() - interval '2.5 s'"
        )
        begun = bool(cursor.rowcount == 1)
        if begun:
            entry, silent, known, by = together[0]
            record.event(
                Topic.SYSTEM, "workers.silent_together",
                f"{silent} of {known} workers that come through {entry or 'the same entry'} went silent "
                f"together: no lease ends for {env.amnesty * by:g} s. If they stay silent, look at the network between "
                "them and this backend.",
                level=Level.WARNING, silent=silent, known=known,
            )  # fmt: skip
    return begun
