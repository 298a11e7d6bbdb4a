"""`manage.py bootstrap`: what a first visitor needs: an account, sample data, a first research. Again: no effect."""

from __future__ import annotations

import json
import secrets
from io import StringIO
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.core.management import call_command

from ktrdr_site.commands import DatabaseCommand
from ktrdr_site.environment import PROJECT
from research.management.actions import output

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

    from research.management.terminal import Out

OPERATOR = "operator"
_DATA = {"symbol": "NASDAQ", "timeframe": "1d"}
_FILE = PROJECT / "data" / "nasdaq_daily.csv"
_NOTE = "index: not tradable, dividends excluded"
_BRIEF = "Find a momentum strategy that beats holding the index after costs"


class Command(DatabaseCommand):
    help = "Make an operator account, load the sample data and start a first research, each if it is missing."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--url", default="", help="where the dashboard is, to say it")
        parser.add_argument("--follow", action="store_true", help="follow the first research to its end")

    def handle(self, *_args: Any, **options: Any) -> None:
        out = output(self.stdout, options)
        out.line()
        self._operator(out, options["url"])
        self._data(out)
        self._research(out, follow=options["follow"])

    @staticmethod
    def _operator(out: Out, url: str) -> None:
        users = get_user_model().objects
        address = ("dashboard", out.tint(url, "strong"))
        if users.filter(username=OPERATOR).exists():
            forgotten = out.tint(f"forgotten? manage.py changepassword {OPERATOR}", "quiet")
            out.pairs([address, ("log in as", OPERATOR), ("password", forgotten)])
            return
        password = secrets.token_urlsafe(12)
        users.create_superuser(username=OPERATOR, password=password)
        shown = f"{out.tint(password, 'strong')}  {out.tint('shown only now', 'warn')}"
        out.pairs([address, ("log in as", OPERATOR), ("password", shown)])

    @staticmethod
    def _data(out: Out) -> None:
        known = _answer("data", "list")
        if any(row["symbol"] == _DATA["symbol"] and row["timeframe"] == _DATA["timeframe"] for row in known):
            return
        out.line()
        call_command("data", "load", str(_FILE), *_options(), "--note", _NOTE, stdout=out.stream)

    @staticmethod
    def _research(out: Out, *, follow: bool) -> None:
        if _answer("research", "list"):
            return
        out.line()
        if not follow:
            call_command("research", "start", _BRIEF, *_options(), stdout=out.stream)
            return
        out.line(out.tint(f"A first research: “{_BRIEF}”", "strong"))
        try:
            call_command("research", "start", _BRIEF, *_options(), "--follow", stdout=out.stream)
        except SystemExit:  # it failed, and said so: this installation is set up all the same
            return
        out.line()
        out.line(f"Start your own: manage.py research start {out.tint('“what to look for”', 'strong')} --follow")


def _options() -> list[str]:
    return [word for name, value in _DATA.items() for word in (f"--{name}", value)]


def _answer(*command: str) -> list[dict[str, Any]]:
    said = StringIO()
    call_command(*command, "--json", stdout=said)
    found: list[dict[str, Any]] = json.loads(said.getvalue())
    return found
