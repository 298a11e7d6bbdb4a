"""`manage.py research start / list / show / follow / cancel / resume / export / reproduce / schedule / holdout`."""

from __future__ import annotations

from research.management.actions import ActionCommand
from research.management.researches.export import Export
from research.management.researches.follow import Follow
from research.management.researches.holdout import Holdout
from research.management.researches.intent import Cancel, Resume
from research.management.researches.listing import List
from research.management.researches.reproduce import Reproduce
from research.management.researches.schedule import ScheduleAction
from research.management.researches.show import Show
from research.management.researches.start import Start


class Command(ActionCommand):
    help = "Researches: start them, see them, follow them, cancel, resume, export and reproduce them."
    actions = {
        "start": Start(), "list": List(), "show": Show(), "follow": Follow(), "cancel": Cancel(), "resume": Resume(),
        "export": Export(), "reproduce": Reproduce(), "schedule": ScheduleAction(), "holdout": Holdout(),
    }  # fmt: skip
