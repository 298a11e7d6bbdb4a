"""Sync: the one control message between worker and backend. Level-triggered: any call may be lost, doubled or late."""

from research.services.sync.assignment import assign, kinds_that_wait
from research.services.sync.beat import beat
from research.services.sync.call import Outcome, handle

__all__ = ["Outcome", "assign", "beat", "handle", "kinds_that_wait"]
