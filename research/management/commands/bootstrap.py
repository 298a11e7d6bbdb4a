"""`manage.py bootstrap`: what a first visitor needs: an account, sample data, a first research. Again: no effect."""

from __future__ import annotations

import json
import secrets
from io import StringIO
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.core.management import call_command, get_commands

from ktrdr_site.commands import DatabaseCommand
from ktrdr_site.environment import PROJECT

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

OPERATOR = "operator"
_DATA = {"symbol": "NASDAQ", "timeframe": "1d"}
_FILE = PROJECT / "data" / "nasdaq_daily.csv"
_BRIEF = "Find a momentum strategy that beats holding the index after costs"


class Command(DatabaseCommand):
    help = "Make an operator account, load the sample data and start a first research, each if it is missing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--url", default="", help="where the dashboard is, to say it")
        parser.add_argument("--follow", action="store_true", help="follow the first research to its end")

    def handle(self, *_args: Any, **options: Any) -> None:
        self._operator(options["url"])
        if self._has("data"):
            self._data()
        if self._has("research"):
            self._research(follow=options["follow"])

    def _has(self, command: str) -> bool:
        if command in get_commands():
            return True
        self.stderr.write(f"`manage.py {command}` is missing from this version: skipped.")
        return False

    def _operator(self, url: str) -> None:
        users = get_user_model().objects
        if users.filter(username=OPERATOR).exists():
            self.stdout.write(f"Log in at {url} as {OPERATOR}; forgotten? manage.py changepassword {OPERATOR}")
            return
        password = secrets.token_urlsafe(12)
        users.create_superuser(username=OPERATOR, password=password)
        self.stdout.write(f"Log in at {url} as {OPERATOR} with the password {password} (shown only now).")

    def _data(self) -> None:
        known = _answer("data", "list", "--json")
        if any(row.get("symbol") == _DATA["symbol"] and row.get("timeframe") == _DATA["timeframe"] for row in known):
            return
        options = [word for name, value in _DATA.items() for word in (f"--{name}", value)]
        call_command("data", "load", str(_FILE), *options, stdout=self.stdout)

    def _research(self, *, follow: bool) -> None:
        if _answer("research", "list", "--json"):
            return
        options = [word for name, value in _DATA.items() for word in (f"--{name}", value)]
        more = ["--follow"] if follow else []
        call_command("research", "start", _BRIEF, *options, *more, stdout=self.stdout)


def _answer(*command: str) -> list[dict[str, Any]]:
    said = StringIO()
    call_command(*command, stdout=said)
    found: list[dict[str, Any]] = json.loads(said.getvalue())
    return found
