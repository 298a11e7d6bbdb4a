"""`manage.py up`: everything on this machine, until Ctrl-C."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from ktrdr_site.environment import variable
from ktrdr_site.supervisor import Supervisor, SupervisorError, lock, preflight
from ktrdr_site.supervisor.plan import Plan
from ktrdr_site.supervisor.terminal import Terminal

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

    from ktrdr_site.environment import Environment

_ASKED = ("host", "port", "training_workers", "backtest_workers")
_GRACE = 5.0  # seconds beyond the drain time before a process is killed


class Command(BaseCommand):
    help = "Run all of KTRDR on this machine: database, web, coordinator, workers. Ctrl-C stops it."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        env: Environment = settings.ENV
        parser.add_argument("--host", default=env.host, help=f"address to listen on (default {env.host})")
        parser.add_argument("--port", type=int, default=env.port, help=f"port to listen on (default {env.port})")
        for kind in ("training", "backtest"):
            number = getattr(env, f"{kind}_workers")
            parser.add_argument(f"--{kind}-workers", type=int, default=number, metavar="N", help=f"default {number}")
        parser.add_argument("--no-research", action="store_true", help="only database and web: no cluster, no workers")
        parser.add_argument("--first-run", action="store_true", help="also an account, sample data, a first research")
        parser.add_argument("--verbose", action="store_true", help="every line of every process")

    def handle(self, *_args: Any, **options: Any) -> None:
        env: Environment = replace(settings.ENV, **{name: options[name] for name in _ASKED})
        os.environ["KTRDR_DATA_DIR"] = str(env.data_dir)
        os.environ |= {variable(name): str(options[name]) for name in _ASKED}
        terminal = Terminal(sys.stdout, verbose=options["verbose"], width=len("local-training-1"))
        plan = Plan(env, terminal, _token, first_run=options["first_run"], research=not options["no_research"])
        try:
            preflight.make_folders(env.data_dir)
            lock.take(env.data_dir)
            preflight.check_disk(env.data_dir)
            preflight.check_port(env.host, env.port)
            if env.database_url:
                preflight.check_database(env.database_url)
            Supervisor(env.data_dir, plan.stages(), terminal, url=plan.url, grace=env.drain + _GRACE).run()
        except SupervisorError as problem:
            raise CommandError(str(problem), returncode=problem.exit_code) from None


def _token(family: str) -> str:
    """The token of this machine's own workers. The supervisor keeps no connection open."""
    from research.services.tokens import ensure_local_token  # type: ignore[import-not-found,unused-ignore]

    try:
        return str(ensure_local_token(family))
    finally:
        connections.close_all()
