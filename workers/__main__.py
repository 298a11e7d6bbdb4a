"""`python -m workers`: one worker. Exit codes: 0 drained, 2 usage, 4 the name is taken, 5 the token is refused,
6 the disk takes nothing more."""

from __future__ import annotations

import argparse
import logging
import os
import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workers.agent.settings import Settings

EXIT_USAGE, EXIT_NAME_TAKEN = 2, 4
KINDS = ("training", "backtest")


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, take the name, serve."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.slots < 1:
        parser.error(f"--slots {options.slots}: write 1 or more")
    if options.slots > 1:
        from workers.slots import run_slots

        return run_slots(options.name, options.slots, sys.argv[1:] if arguments is None else list(arguments))
    settings = _settings(parser, options)
    _log_to_stderr(settings.name)
    return _serve(settings)


def _serve(settings: Settings) -> int:
    from workers.agent.loop import Agent
    from workers.client import Client
    from workers.durable import EXIT_DISK
    from workers.spool import NameInUse, NoRoom, Spool

    log = logging.getLogger("ktrdr.worker")
    try:
        spool = Spool(settings.spool_dir)
    except NameInUse as error:
        log.error("another worker took the name %s: %s", settings.name, error)
        return EXIT_NAME_TAKEN
    except NoRoom as error:
        log.error("%s", error)
        return EXIT_DISK
    client = Client(url=settings.url, token=settings.token, worker=settings.name, incarnation=str(settings.incarnation))
    log.info("worker %s (%s) serves %s", settings.name, ", ".join(settings.kinds), settings.url)
    return Agent(settings, client, spool).run()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m workers", allow_abbrev=False, description="A worker: asks a backend for work and does it."
    )
    parser.add_argument("--name", required=True, help="stable name of this worker: letters a-z, digits, dot, dash")
    parser.add_argument("--kinds", required=True, help="what it can run: training, backtest or training,backtest")
    parser.add_argument("--url", required=True, help="the backend, such as http://127.0.0.1:8000")
    parser.add_argument(
        "--data-dir", type=Path, help="spool and cache; default: $KTRDR_DATA_DIR/workers or ./var/workers"
    )
    parser.add_argument("--token-file", type=Path, help="file with the token; default: the variable KTRDR_TOKEN")
    parser.add_argument("--slots", type=int, default=1, help="operations at once: N workers NAME-1 to NAME-N")
    return parser


def _settings(parser: argparse.ArgumentParser, options: argparse.Namespace) -> Settings:
    from workers.agent.settings import Settings

    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,62}", options.name):
        parser.error(f"--name {options.name!r}: use a-z, 0-9, dot, dash and underscore, at most 63 characters")
    kinds = tuple(dict.fromkeys(part.strip() for part in options.kinds.split(",")))
    if not set(kinds) <= set(KINDS):
        parser.error(f"--kinds {options.kinds!r}: write training, backtest or training,backtest")
    if not re.match(r"https?://[^/]", options.url):
        parser.error(f"--url {options.url!r}: write it as http://HOST:PORT or https://HOST")
    data_dir = options.data_dir or Path(os.environ.get("KTRDR_DATA_DIR") or "var") / "workers"
    return Settings(
        name=options.name,
        kinds=kinds,
        url=options.url,
        data_dir=data_dir.expanduser().resolve(),
        token=_token(parser, options.token_file),
        drain_s=_seconds(parser, "KTRDR_DRAIN", "10"),
    )


def _token(parser: argparse.ArgumentParser, file: Path | None) -> str:
    try:
        token = file.read_text().strip() if file else os.environ.get("KTRDR_TOKEN", "").strip()
    except (OSError, UnicodeDecodeError) as error:
        parser.error(f"--token-file {file}: {error}")
    if not re.fullmatch(r"[!-~]+", token):
        parser.error("no usable token: set KTRDR_TOKEN or --token-file (manage.py workers create-token NAME makes one)")
    return token


def _seconds(parser: argparse.ArgumentParser, variable: str, default: str) -> float:
    text = os.environ.get(variable) or default
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        parser.error(f"{variable} is {text!r}: write seconds, such as 10")
    return value


def _log_to_stderr(name: str) -> None:
    logging.Formatter.converter = time.gmtime
    layout = f"%(asctime)s.%(msecs)03dZ {name} %(levelname)s %(message)s"
    logging.basicConfig(level=logging.INFO, format=layout, datefmt="%Y-%m-%dT%H:%M:%S", stream=sys.stderr)
    logging.getLogger("urllib3").setLevel(logging.ERROR)


def _end(code: int) -> NoReturn:
    """Leave without waiting for threads that still hang in a transfer; everything that counts is on the disk."""
    logging.shutdown()
    os._exit(code)


if __name__ == "__main__":
    _end(main())
