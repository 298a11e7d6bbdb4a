"""Sync calls in threads of their own, so that a call that hangs keeps nothing else waiting."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from workers import faults, hostinfo
from workers.agent.messages import Answered, Unanswered, clock
from workers.client import Refused, Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable

    from workers.agent.hands import Hands
    from workers.agent.settings import Settings
    from workers.client import Client
    from workers.protocol import SyncRequest

log = logging.getLogger("ktrdr.worker.sync")


class Connection:
    """Numbers the calls and posts what came of each. `identity` is what stays the same in all of them."""

    def __init__(
        self, settings: Settings, client: Client, hands: Hands, post: Callable[[Answered | Unanswered], None]
    ) -> None:
        self._client, self._hands, self._post = client, hands, post
        self.next_seq = 0
        self.identity: dict[str, Any] = {
            "worker": settings.name,
            "incarnation": settings.incarnation,
            "kinds": list(settings.kinds),
            "host": hostinfo.describe(),
        }
        self._trouble = ""

    def send(self, request: SyncRequest) -> None:
        """Post `Answered` or `Unanswered` in due time."""
        self.next_seq = request.seq + 1
        self._hands.do(lambda: self._call(request))

    def _call(self, request: SyncRequest) -> None:
        started = clock()
        ends = [item for item in request.operations if item.state != "running"]
        if ends:
            faults.point("worker.result.report")
        try:
            answer = self._client.sync(request)
        except (Unreachable, Refused) as error:
            self._say(error)
            words, status = (error.message, error.status) if isinstance(error, Refused) else (str(error), None)
            self._post(Unanswered(request.seq, words, status))
            return
        if ends:
            faults.point("worker.result.reported")
        if self._trouble:
            log.warning("the backend answers again")
            self._trouble = ""
        self._post(Answered(request.seq, started, answer))

    def _say(self, error: Unreachable | Refused) -> None:
        """Each kind of trouble once, until the backend answers again; a report it could not use in all its words."""
        bug = isinstance(error, Refused) and error.status in {400, 413, 422}
        kind = str(error) if bug else f"{type(error).__name__}{getattr(error, 'status', '')}"
        if kind == self._trouble:
            return
        self._trouble = kind
        if bug:
            log.error("BUG: the backend could not use this worker's report: %s", error)
        else:
            log.warning("no sync with %s, tried again while work goes on: %s", self._client.url, error)
