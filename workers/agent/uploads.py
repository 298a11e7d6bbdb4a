"""One try at uploading one file, and what its end means."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Literal

from workers import faults
from workers.agent.messages import Uploaded
from workers.client import Refused, Unreachable

if TYPE_CHECKING:
    from workers.agent.messages import Blob
    from workers.client import Client
    from workers.spool import Spool

log = logging.getLogger("ktrdr.worker.uploads")

GONE = {404, 409, 410}  # the operation is not ours or not running any more: the next sync says so
NEVER = {403, 405, 411, 413, 415}


def upload(client: Client, spool: Spool, operation: int, blob: Blob) -> Uploaded:
    """Send one file; never raises for what a network or a backend can do."""
    locate = spool.artifact if blob.kind == "artifact" else spool.checkpoint
    faults.point(f"worker.{blob.kind}.upload")
    try:
        client.put(f"/api/v1/operations/{operation}/{blob.path}", locate(operation, blob.name))
    except FileNotFoundError as error:
        return Uploaded(operation, blob, "lost", str(error))
    except Refused as error:
        log.warning("operation %s: upload of %s refused: %s", operation, blob.path, error)
        return Uploaded(operation, blob, _meaning(error.status), str(error))
    except Unreachable as error:
        log.info("operation %s: upload of %s failed, tried again later: %s", operation, blob.path, error)
        return Uploaded(operation, blob, "failed", str(error))
    faults.point(f"worker.{blob.kind}.uploaded")
    return Uploaded(operation, blob, "stored")


def _meaning(status: int) -> Literal["gone", "refused", "failed"]:
    if status in GONE:
        return "gone"
    return "refused" if status in NEVER else "failed"
