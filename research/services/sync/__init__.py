"""Sync: the one control message between worker and backend. Level-triggered: any call may be lost, doubled or late."""

from research.services.sync.assignment import assign
from research.services.sync.call import Outcome, handle

__all__ = ["Outcome", "assign", "handle"]
