"""`manage.py localpg start / stop / status / psql / dump / restore`: the embedded PostgreSQL by itself."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from ktrdr_site.localpg import LocalPostgresError, NotRunning, Server
from ktrdr_site.localpg.binaries import program
from ktrdr_site.localpg.connection import connect
from ktrdr_site.localpg.place import DATABASE, PORT

if TYPE_CHECKING:
    from django.core.management.base import CommandParser


# Another server counts its transactions anew: those of the past must not be taken for its own.
_FORGET_TRANSACTIONS = b"""
SET session_replication_role = replica;
UPDATE public.research_event SET xact = 0;
"""


class Command(BaseCommand):
    help = "Start (in the foreground), stop, look at, enter, dump or restore the embedded PostgreSQL."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["start", "stop", "status", "psql", "dump", "restore"])
        parser.add_argument("--json", action="store_true", help="status as JSON")
        parser.add_argument("--file", help="dump into this file (pg_restore's format), or restore it; without: SQL")

    def handle(self, *_args: Any, **options: Any) -> None:
        if settings.ENV.database_url:
            raise CommandError("DATABASE_URL is set: that PostgreSQL is used, not the embedded one.", returncode=2)
        server = Server(settings.ENV.data_dir)
        try:
            getattr(self, f"_{options['action']}")(server, options)
        except LocalPostgresError as problem:
            raise CommandError(str(problem), returncode=problem.exit_code) from None

    def _start(self, server: Server, _options: dict[str, Any]) -> None:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            server.start()
            self.stdout.write(
                f"PostgreSQL runs (pid {server.pid()}, socket {server.place.socket_dir}). Ctrl-C stops it."
            )
            self.stdout.flush()
            code = server.wait()
        except KeyboardInterrupt:
            server.stop()
            return
        raise LocalPostgresError(f"PostgreSQL ended (exit code {code}); its log ends:\n{server.log_tail()}")

    def _stop(self, server: Server, _options: dict[str, Any]) -> None:
        stopped = server.stop()
        self.stdout.write("PostgreSQL stopped." if stopped else "PostgreSQL was not running.")

    def _status(self, server: Server, options: dict[str, Any]) -> None:
        status = server.status()
        if options["json"]:
            self.stdout.write(json.dumps(status))
        else:
            for name, value in status.items():
                self.stdout.write(f"{name:8} {value}")
        if not status["running"]:
            raise NotRunning("PostgreSQL does not run here.")

    def _psql(self, server: Server, _options: dict[str, Any]) -> None:
        self._become(server, "psql", [])

    def _dump(self, server: Server, options: dict[str, Any]) -> None:
        file = options["file"]
        self._become(server, "pg_dump", ["--format=custom", f"--file={file}"] if file else [])

    def _restore(self, server: Server, options: dict[str, Any]) -> None:
        """All or nothing, and only into an empty database: what is there is never overwritten."""
        file = options["file"]
        if not file or not os.access(file, os.R_OK):
            raise CommandError(f"The dump {file or ''} cannot be read: give it with --file.", returncode=2)
        if _has_tables(server):
            raise CommandError(
                "This database is not empty: restore into a new KTRDR_DATA_DIR, beside a running `localpg start`.",
                returncode=2,
            )
        with tempfile.NamedTemporaryFile(suffix=".sql") as script:
            _run(program("pg_restore"), "--no-owner", f"--file={script.name}", file)
            with Path(script.name).open("ab") as more:
                more.write(_FORGET_TRANSACTIONS)
            _run(program("psql"), *_where(server), "--quiet", "--no-psqlrc", "--single-transaction",
                 "--output=/dev/null", "--set=ON_ERROR_STOP=1", f"--file={script.name}")  # fmt: skip
        self.stdout.write(f"{file} is restored.")

    @staticmethod
    def _become(server: Server, name: str, more: list[str]) -> None:
        if not server.running():
            raise NotRunning("nothing runs here: manage.py up")
        os.execv(program(name), [name, *_where(server), *more])


def _where(server: Server) -> list[str]:
    return ["-h", str(server.place.socket_dir), "-p", str(PORT), "-U", DATABASE, "-d", DATABASE]


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LocalPostgresError(f"{Path(command[0]).name}: {done.stderr.strip()}")


def _has_tables(server: Server) -> bool:
    if not server.running():
        raise NotRunning("nothing runs here: manage.py localpg start")
    with connect(server.place) as session:
        row = session.execute("SELECT EXISTS (SELECT 1 FROM pg_tables WHERE schemaname = 'public')").fetchone()
    return bool(row and row[0])
