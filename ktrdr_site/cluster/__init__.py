"""`manage.py cluster`: django-q2's processes under a guard that replaces them when they no longer work.

Measured on django-q2 1.11.1: after the wrong SIGKILL its cluster looks alive and does nothing, or goes on without
saving results, or leaves unguarded workers behind. So here every process dies with its parent, whatever cannot be
mended ends the whole tree with an exit code other than 0, and the supervisor starts a fresh one.
"""

from __future__ import annotations

from typing import Final

EXIT_BROKEN: Final = 4
"""A process that cannot be replaced alone is gone, or the sentinel hangs."""

EXIT_WEDGED: Final = 5
"""No task of this cluster came to an end for too long, not even a canary."""
