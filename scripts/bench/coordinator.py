"""One turn of the coordinator with ten thousand active researches of which ten changed; real rows, real database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from ktrdr_site.environment import PROJECT
from ktrdr_site.localpg import Server
from scripts.bench.figures import Figure
from tests.support.stack import MANAGE, clean_environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ACTIVE, CHANGED, TURNS = 10_000, 10, 50
SETTINGS = {"KTRDR_MAX_ACTIVE": str(2 * ACTIVE), "KTRDR_POSTGRES_OPTIONS": ""}


def figures() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        data_dir = Path(folder) / "data"
        environment = clean_environment(data_dir, SETTINGS)
        server = Server(data_dir)
        server.start()
        try:
            _run(environment, *MANAGE, "migrate", "--no-input", "--verbosity", "0")
            inside = "scripts.bench.inside.turns"
            said = _run(environment, sys.executable, "-m", inside, str(ACTIVE), str(CHANGED), str(TURNS))
        finally:
            server.stop()
    for each in json.loads(said.splitlines()[-1]):
        yield Figure(**each)


def _run(environment: Mapping[str, str], *command: str) -> str:
    done = subprocess.run(
        command, env=os.environ | environment, cwd=PROJECT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr[-2000:]}")
    return done.stdout
