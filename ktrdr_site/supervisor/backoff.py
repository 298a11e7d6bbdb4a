"""When to start again what died: at once, then ever later."""

from workers.faults import planned

STEADY = 30.0  # seconds up after which earlier deaths are forgotten
_LONGEST = 10.0
_LONGEST_PLANNED = 0.5  # a test that kills a process at point after point waits for no trouble to pass


def delay(deaths: int) -> float:
    """Seconds to wait after the `deaths`-th quick death in a row: 0, 0.5, 1, 2, 4, 8, 10, 10, …"""
    longest = _LONGEST_PLANNED if planned() else _LONGEST
    return 0.0 if deaths <= 1 else min(longest, 0.5 * 2.0 ** min(deaths - 2, 10))


def deaths_in_a_row(before: int, uptime: float) -> int:
    """The count after one more death that came `uptime` seconds after the start."""
    return 1 if uptime >= STEADY else before + 1
