"""A worker on another machine, with a network of its own between it and the backend that a test can cut."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from tests.acceptance.recovery.cast import OutsideWorker, query
from tests.chaos.proxy import Proxy
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from tests.acceptance.recovery.holds import Holds

_LEASE_ENDED = """SELECT 1 FROM research_operation
                  WHERE id = %s AND (status <> 'running' OR lease_expires_at < clock_timestamp())"""


@dataclass
class FarWorker(OutsideWorker):
    """`proxy` is its network. `holds` are its own: work on it can be held in its middle."""

    holds: Holds | None = None
    proxy: Proxy = field(init=False)

    def __enter__(self) -> Self:
        self.proxy = Proxy(self.stack.port)
        self.proxy.start()
        super().__enter__()
        return self

    def __exit__(self, *details: object) -> None:
        super().__exit__(*details)
        self.proxy.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.proxy.port}"

    @property
    def faults(self) -> dict[str, str]:
        return self.holds.environment if self.holds else {}

    def cut_off(self, operation: int) -> None:
        """No call gets through from now on; returns when the lease of its operation has ended, or it was taken over."""
        self.proxy.disturb("cut")
        wait_until(
            lambda: query(self.stack, _LEASE_ENDED, operation), timeout=60, what=f"the lease of {operation} has ended"
        )

    def wait_says(self, *texts: str, timeout: float = 60.0) -> str:
        """Wait until one of these stands in its log; returns the first that does."""

        def said() -> str:
            assert self.process is not None
            assert self.process.poll() is None, self.text
            return next((text for text in texts if text in self.text), "")

        return wait_until(said, timeout=timeout, what=f"{self.name} says {' or '.join(texts)}")

    def wait_empty(self) -> None:
        """Wait until its spool holds nothing: no work, no result that waits to be told."""
        kept = self.folder / "spool" / self.name / "operations"
        wait_until(lambda: not list(kept.iterdir()), timeout=30, what=f"{kept} is empty")
