"""`manage.py research start`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from research.coordinator.tasks import resume_if_needed
from research.management.actions import json_option, whoami
from research.selectors import researches as selector
from research.selectors.events import newest as newest_event
from research.services import researches
from research.services.errors import Invalid
from research.services.researches import LARGEST_SEED
from workers.strategy import InvalidStrategy
from workers.strategy.texts import read

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Mapping

    from research.management.terminal import Out
    from research.models import Research

MOST = 1000


def add_asked(parser: ArgumentParser) -> None:
    """What is asked for, alike whether it begins now or by a schedule."""
    parser.add_argument("brief", metavar="BRIEF", help='such as "momentum after quiet weeks"')
    parser.add_argument("--symbol", default="", help="default: the data loaded last")
    parser.add_argument("--timeframe", default="", help="such as 1d")
    parser.add_argument("--strategy", type=Path, metavar="FILE", help="a specification (YAML or JSON): no design")
    parser.add_argument("--designer", default="evolution", metavar="NAME", help="who designs; default evolution")
    parser.add_argument(
        "--set", action="append", default=[], metavar="PATH=VALUE", help="change the strategy: training.epochs=100"
    )
    parser.add_argument("--priority", type=int, default=0, metavar="N", help="higher begins earlier; default 0")


def asked(options: Mapping[str, Any]) -> dict[str, Any]:
    """The same as `services.researches.create` takes it, without brief and seed. Raises `Invalid`."""
    same = {name: options[name] for name in ("symbol", "timeframe", "designer", "priority")}
    return {**same, "given": _strategy(options["strategy"]), "overrides": options["set"]}


class Start:
    help = "Start a research: in a sentence, what to look for. Everything else has a default."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_asked(parser)
        parser.add_argument("--seed", type=int, metavar="N", help="decides every random choice; default: random")
        parser.add_argument("--count", type=int, default=1, metavar="N", help="so many, with seeds N, N+1, …")
        parser.add_argument("--follow", action="store_true", help="show what happens, to the verdict")
        json_option(parser)

    def run(self, out: Out, options: Mapping[str, Any]) -> int | None:
        seen = newest_event()
        started = _start(options)
        resume_if_needed()
        if options["follow"]:
            from research.management.researches.following import follow_all

            return follow_all(out, [one.pk for one in started], as_json=options["json"], since=seen)
        if options["json"]:
            answers = [selector.detail(selector.get(one.pk)) for one in started]
            out.json(answers[0] if options["count"] == 1 else answers)
            return None
        for one in started:
            out.line(f"Research {one.pk} is started on {one.symbol} {one.timeframe}, seed {one.seed}.")
        first = started[0].pk
        out.line(out.tint(f"See it: manage.py research show {first}", "quiet"))
        return None


def _start(options: Mapping[str, Any]) -> list[Research]:
    """All or, when the first is refused, none: the others ask for the same."""
    count, seed = options["count"], options["seed"]
    if not 1 <= count <= MOST:
        raise Invalid(f"--count is {count}: write a number from 1 to {MOST}.")
    if seed is not None and seed + count - 1 > LARGEST_SEED:
        raise Invalid(f"The seeds must stay between 0 and {LARGEST_SEED}.")
    wanted, by = asked(options), whoami()
    return [
        researches.create(brief=options["brief"], seed=None if seed is None else seed + number, by=by, **wanted)
        for number in range(count)
    ]


def _strategy(path: Path | None) -> dict[str, Any] | None:
    """The mapping in a file. Raises `Invalid` when it cannot be read as one; what it says is checked by the service."""
    if path is None:
        return None
    try:
        found = read(path.read_text(encoding="utf-8-sig"))
    except OSError as problem:
        raise Invalid(f"{path} cannot be read: {problem.strerror}. Give the path of a YAML or JSON file.") from None
    except UnicodeDecodeError as problem:
        raise Invalid(f"{path} is no UTF-8 text: {problem.reason} at byte {problem.start}.") from None
    except InvalidStrategy as problem:
        raise Invalid(f"{path.name}: {problem}") from None
    if not isinstance(found, dict):
        raise Invalid(f"{path.name} must be a mapping with name, data, indicators …, not {type(found).__name__}.")
    return found
