"""`manage.py up`: everything of KTRDR on one machine, kept alive, and gone when its supervisor is gone."""

from ktrdr_site.supervisor.errors import SupervisorError
from ktrdr_site.supervisor.spec import ChildSpec
from ktrdr_site.supervisor.supervisor import Supervisor

__all__ = ["ChildSpec", "Supervisor", "SupervisorError"]
