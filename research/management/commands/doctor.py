"""`manage.py doctor`: is this installation sound? Settings, database, clock, disk, versions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from ktrdr_site.doctor import examine

if TYPE_CHECKING:
    from django.core.management.base import CommandParser


class Command(BaseCommand):
    help = "Look at settings, database, clock, disk and versions; exit code 1 when something is wrong."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true")

    def handle(self, *_args: Any, **options: Any) -> None:
        findings = examine(settings.ENV)
        if options["json"]:
            self.stdout.write(json.dumps([finding._asdict() for finding in findings]))
        else:
            for finding in findings:
                self.stdout.write(f"{'ok ' if finding.ok else 'BAD'} {finding.what:28} {finding.found}")
        bad = sum(not finding.ok for finding in findings)
        if bad:
            raise CommandError(f"{bad} of {len(findings)} findings are bad.", returncode=1)
