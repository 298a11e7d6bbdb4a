"""Beside the requests: this web process notes that it can hear workers, and calls for a leader when nobody leads."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from uuid import uuid4

import psycopg
from django.db import DatabaseError

from research.coordinator.tasks import resume_if_needed
from research.live.database import listening_connection
from research.live.threads import in_thread
from research.runners.keys import LOCK_COVER
from research.services import cover

EVERY_S = 1.0
log = logging.getLogger("research.live")


async def run() -> None:
    """Serve for ever; a lost database is waited for, and what was missed starts a new cover by itself."""
    while True:
        try:
            async with listening_connection() as session:
                await session.execute("SELECT pg_advisory_lock_shared(%s, 0)", [LOCK_COVER])
                process, label = uuid4(), f"web {socket.gethostname()} pid {os.getpid()}"
                await in_thread(cover.start, process, session.info.backend_pid, label)
                while True:
                    await asyncio.sleep(EVERY_S)
                    await session.execute("SELECT 1")
                    await in_thread(cover.note, process)
                    await in_thread(resume_if_needed)
        except (psycopg.Error, DatabaseError, OSError, TimeoutError) as problem:
            log.warning("cover.lost %s", " ".join(str(problem).split())[:200])
        await asyncio.sleep(0.3)
