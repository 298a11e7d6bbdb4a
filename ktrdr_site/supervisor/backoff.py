"""When to start again what died: at once, then ever later."""

STEADY = 30.0  # seconds up after which earlier deaths are forgotten
_LONGEST = 10.0


def delay(deaths: int) -> float:
    """Seconds to wait after the `deaths`-th quick death in a row: 0, 0.5, 1, 2, 4, 8, 10, 10, …"""
    return 0.0 if deaths <= 1 else min(_LONGEST, 0.5 * 2.0 ** min(deaths - 2, 10))


def deaths_in_a_row(before: int, uptime: float) -> int:
    """The count after one more death that came `uptime` seconds after the start."""
    return 1 if uptime >= STEADY else before + 1
