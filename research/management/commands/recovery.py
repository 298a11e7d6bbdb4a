"""`manage.py recovery status / check`."""

from __future__ import annotations

from research.management.actions import ActionCommand
from research.management.recovery.check import Check
from research.management.recovery.status import Status


class Command(ActionCommand):
    help = "Recovery: how it stands and what it would do next; whether every invariant holds."
    actions = {"status": Status(), "check": Check()}
