"""The embedded PostgreSQL: one private server per data folder, reached through a Unix socket only.

The lock file beside the data folder is inherited by the server and all its processes, so "the lock is free" means
"no process of that server lives", whoever was killed and however. No pid is ever trusted.
"""

from ktrdr_site.localpg.errors import AlreadyRunning, LocalPostgresError, NotRunning
from ktrdr_site.localpg.place import Place, address
from ktrdr_site.localpg.server import Server

__all__ = ["AlreadyRunning", "LocalPostgresError", "NotRunning", "Place", "Server", "address"]
