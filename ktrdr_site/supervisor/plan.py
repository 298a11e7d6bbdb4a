"""Which processes `manage.py up` runs, in which order."""

from __future__ import annotations

import http.client
import signal
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from ktrdr_site.environment import PROJECT
from ktrdr_site.localpg import Server
from ktrdr_site.supervisor.spec import ChildSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ktrdr_site.environment import Environment
    from ktrdr_site.supervisor.terminal import Terminal

_MANAGE = (sys.executable, str(PROJECT / "manage.py"))


@dataclass(frozen=True, slots=True)
class Plan:
    """The stages. `token` gives the token of the local workers of one kind, once the database is ready."""

    settings: Environment
    terminal: Terminal
    token: Callable[[str], str]
    first_run: bool = False
    research: bool = True

    @property
    def url(self) -> str:
        return f"http://{_reachable(self.settings.host)}:{self.settings.port}"

    def stages(self) -> list[Callable[[], Sequence[ChildSpec]]]:
        """Database, tables, web, the rest; a first run's set-up last."""
        stages: list[Callable[[], Sequence[ChildSpec]]] = [self.migrate, self.web]
        if not self.settings.database_url:
            stages.insert(0, self.postgres)
        if self.research:
            stages.append(lambda: [*self.cluster(), *self.workers()])
        if self.first_run:
            stages.append(self.bootstrap)
        return stages

    def postgres(self) -> list[ChildSpec]:
        return [
            ChildSpec(
                name="postgres",
                role="postgres",
                command=[sys.executable, "-m", "ktrdr_site.localpg"],
                ready=Server(self.settings.data_dir).running,
                critical=True,
                stop_signal=signal.SIGINT,  # fast shutdown; SIGTERM would wait for every client
                death_signal=signal.SIGINT,
                # Its ERRORs are the application's to report; that it starts or stops, everybody knows.
                alarming=r"\b(FATAL|PANIC)\b(?!:\s+the database system is)|cannot|refuse",
            )
        ]

    def migrate(self) -> list[ChildSpec]:
        command = [*_MANAGE, "migrate", "--no-input", "--verbosity", "0"]  # thirty tables are no news
        return [ChildSpec("migrate", "migrate", command, once=True, critical=True, show_all=True)]

    def web(self) -> list[ChildSpec]:
        command = [*_MANAGE, "web", "--host", self.settings.host, "--port", str(self.settings.port)]
        return [ChildSpec("web", "web", command, ready=self._web_answers, critical=True)]

    def cluster(self) -> list[ChildSpec]:
        return [ChildSpec("cluster", "cluster", [*_MANAGE, "cluster"])]

    def workers(self) -> list[ChildSpec]:
        wanted = {"training": self.settings.training_workers, "backtest": self.settings.backtest_workers}
        if missing := [name for name in ("workers.__main__", "research.services.tokens") if find_spec(name) is None]:
            self.terminal.say(f"workers are not started: {' and '.join(missing)} not found")
            return []
        return [self._worker(kind, number) for kind, count in wanted.items() for number in range(1, count + 1)]

    def _worker(self, kind: str, number: int) -> ChildSpec:
        family = f"local-{kind}"  # one token serves all workers NAME-n
        name = f"{family}-{number}"
        command = [sys.executable, "-m", "workers", "--name", name, "--kinds", kind, "--url", self.url]
        command += ["--data-dir", str(self.settings.data_dir)]
        return ChildSpec(name, "worker", command, environment={"KTRDR_TOKEN": self.token(family)})

    def bootstrap(self) -> list[ChildSpec]:
        command = [*_MANAGE, "bootstrap", "--url", self.url, "--follow"]
        return [ChildSpec("bootstrap", "bootstrap", command, once=True, terminal=True)]

    def _web_answers(self) -> bool:
        connection = http.client.HTTPConnection(_reachable(self.settings.host), self.settings.port, timeout=1)
        try:
            connection.request("GET", "/healthz")
            connection.getresponse()  # whatever it says, it answers
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
        return True


def _reachable(host: str) -> str:
    """An address under which this host reaches a server that listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}.get(host, host)  # noqa: S104 -- compared, not bound
