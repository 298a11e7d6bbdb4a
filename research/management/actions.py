"""Commands with several actions: `manage.py research start …`. One action, one module beside the command."""

from __future__ import annotations

import getpass
import logging
from typing import TYPE_CHECKING, Any, Protocol, TextIO, cast

from django.core.management.base import CommandError, OutputWrapper

from ktrdr_site.commands import DatabaseCommand
from research.management.terminal import Out
from research.services.errors import ServiceError

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Mapping

    from django.core.management.base import CommandParser


class Action(Protocol):
    """What `manage.py COMMAND ACTION` does. `help` is one line."""

    help: str

    def add_arguments(self, parser: ArgumentParser) -> None: ...

    def run(self, out: Out, options: Mapping[str, Any]) -> int | None:
        """Returns the exit code, None for 0. Raises `ServiceError` with what to do."""


class ActionCommand(DatabaseCommand):
    """A refusal of a service ends the command with its own exit code and its message as it is, lines and all."""

    actions: Mapping[str, Action]
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        found = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        for name, action in self.actions.items():
            action.add_arguments(found.add_parser(name, help=action.help, description=action.help))

    def handle(self, *_args: Any, **options: Any) -> None:
        logging.getLogger("django-q").setLevel(logging.WARNING)  # that a doorbell was rung is no news to a person
        try:
            code = self.actions[options["action"]].run(output(self.stdout, options), options)
        except ServiceError as problem:
            raise CommandError(str(problem), returncode=problem.exit_code) from problem
        if code:
            self.stdout.flush()
            raise SystemExit(code)


def output(wrapper: OutputWrapper, options: Mapping[str, Any]) -> Out:
    """Where a command reports to, with Django's own options obeyed."""
    return Out(_stream(wrapper), colour=False if options.get("no_color") else None)


def _stream(wrapper: OutputWrapper) -> TextIO:
    """What Django's wrapper writes to: the wrapper ends every write with a new line, a progress line needs none."""
    stream: object = wrapper
    while isinstance(stream, OutputWrapper):
        stream = vars(stream)["_out"]
    return cast("TextIO", stream)


def json_option(parser: ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")


def whoami() -> str:
    """The account at the terminal, for the record of who asked."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "terminal"
