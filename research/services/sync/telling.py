"""What workers are told: lease and heartbeat, by how many of them are connected now."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import connection

from research.lifecycle.pace import stretch, stretched, told_next

if TYPE_CHECKING:
    from research.models import Worker

COUNT_EVERY_S = 1.0

# As the lease clock counts: nobody went silent while no web process could hear, but who was last heard of an hour ago
# is no longer reckoned with.
_CONNECTED = """
SELECT count(*) FROM research_worker w LEFT JOIN research_cover c ON c.id = 1
WHERE w.session IS NOT NULL AND w.last_seen_at > clock_timestamp() - interval '1 h'
  AND greatest(w.last_seen_at, c.up_since) > clock_timestamp() - make_interval(secs => w.lease_s)
"""


@dataclass(slots=True)
class _Wanted:
    """The stretch that is wanted now, counted anew once a second in each process."""

    factor: float = 1.0
    until: float = 0.0


_wanted = _Wanted()


def connected() -> int:
    """Workers whose word still counts."""
    with connection.cursor() as cursor:
        cursor.execute(_CONNECTED)
        return int(cursor.fetchone()[0])


def wanted(*, afresh: bool = False) -> float:
    """By what heartbeat and lease should be stretched. At most a second old, unless `afresh`."""
    if afresh or time.monotonic() >= _wanted.until:
        env = settings.ENV
        _wanted.until = time.monotonic() + COUNT_EVERY_S
        _wanted.factor = stretch(connected(), heartbeat=env.heartbeat, rate=env.sync_rate)
    return _wanted.factor


def tell(worker: Worker, *, newcomer: bool) -> None:
    """Set the lease and heartbeat (s) this worker is told now and judged by; a newcomer was told nothing before."""
    env = settings.ENV
    before = 1.0 if newcomer else stretched(worker.heartbeat_s, env.heartbeat)
    factor = told_next(before, wanted())
    worker.lease_s, worker.heartbeat_s = env.lease * factor, env.heartbeat * factor
