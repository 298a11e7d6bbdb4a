"""`manage.py workers list / drain / create-token / revoke-token`."""

from __future__ import annotations

from research.management.actions import ActionCommand
from research.management.workers.tokens import CreateToken, RevokeToken
from research.management.workers.workforce import Drain, List


class Command(ActionCommand):
    help = "Workers: see them, have them leave, give them tokens. A worker itself is started by python -m workers."
    actions = {"list": List(), "drain": Drain(), "create-token": CreateToken(), "revoke-token": RevokeToken()}
