"""`manage.py data load / synth / list / check`."""

from __future__ import annotations

from research.management.actions import ActionCommand
from research.management.datasets.load import Load, Synth
from research.management.datasets.look import Check, List


class Command(ActionCommand):
    help = "Bars to do research on: load them, make them up, list them, check them."
    actions = {"load": Load(), "synth": Synth(), "list": List(), "check": Check()}
