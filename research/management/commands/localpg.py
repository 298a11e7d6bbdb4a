"""`manage.py localpg start / stop / status / psql / dump`: the embedded PostgreSQL by itself."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from ktrdr_site.localpg import LocalPostgresError, NotRunning, Server
from ktrdr_site.localpg.binaries import program
from ktrdr_site.localpg.place import DATABASE, PORT

if TYPE_CHECKING:
    from django.core.management.base import CommandParser


class Command(BaseCommand):
    help = "Start (in the foreground), stop, look at, enter or dump the embedded PostgreSQL."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["start", "stop", "status", "psql", "dump"])
        parser.add_argument("--json", action="store_true", help="status as JSON")
        parser.add_argument("--file", help="dump into this file (pg_restore's format) instead of SQL to the terminal")

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

    @staticmethod
    def _become(server: Server, name: str, more: list[str]) -> None:
        if not server.running():
            raise NotRunning("nothing runs here: manage.py up")
        where = ["-h", str(server.place.socket_dir), "-p", str(PORT), "-U", DATABASE, "-d", DATABASE]
        os.execv(program(name), [name, *where, *more])
