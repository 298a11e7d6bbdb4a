"""Every invariant of the recovery contract (section 2), asked of the database as it is; what breaks one is named."""

from research.selectors.invariants.base import Breach, Invariant
from research.selectors.invariants.checking import INVARIANTS, Report, check

__all__ = ["INVARIANTS", "Breach", "Invariant", "Report", "check"]
