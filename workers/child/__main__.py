"""`python -m workers.child PARENT_PID KIND...`: started by the agent only, ahead of need; it waits for one job.

Exit codes: 0 an outcome is in the spool (or no job came); 3 the checkpoint could not be used; 6 the disk takes
nothing more; anything else a crash.
"""

from __future__ import annotations

import sys

from workers.child import bond

if __name__ == "__main__":
    bond.die_with(int(sys.argv[1]))  # before anything slow is imported
    from workers.child.life import live

    live(kinds=sys.argv[2:])
