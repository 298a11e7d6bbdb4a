"""Every setting a user may give through the environment: its type, default and meaning, in one place."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

PROJECT = Path(__file__).resolve().parent.parent
ELSEWHERE = frozenset({"KTRDR_TOKEN", "KTRDR_FAULTS_DIR", "KTRDR_TEST_TASKS"})  # read by workers and faults alone
_PREFIX = "KTRDR_"


class BadSetting(ValueError):
    """A variable's value cannot be used; the message says which, why and what to write instead."""


def _setting(default: Any, help_text: str, name: str = "") -> Any:
    return field(default=default, metadata={"help": help_text, "name": name})


@dataclass(frozen=True, slots=True)
class Environment:
    """The settings, read once. Durations are seconds. Variable: `KTRDR_` + the field's name, unless it has its own."""

    database_url: str = _setting(
        "", "PostgreSQL to use instead of the embedded one: postgresql://user:pass@host/db", "DATABASE_URL"
    )
    data_dir: Path = _setting(PROJECT / "var", "Where all state lives: database, blobs, data, spools, logs, secrets")
    postgres_options: str = _setting("", "More settings of the embedded PostgreSQL: shared_buffers=1GB work_mem=64MB")
    postgres_account: str = _setting(
        "", "Account root runs the embedded PostgreSQL as, instead of in a user namespace; data then in /var/lib/ktrdr"
    )
    host: str = _setting("127.0.0.1", "Address the web server listens on")
    port: int = _setting(8000, "Port the web server listens on")
    training_workers: int = _setting(1, "Training workers that `manage.py up` starts on this machine")
    backtest_workers: int = _setting(1, "Backtest workers that `manage.py up` starts on this machine")
    secret_key: str = _setting("", "Django's secret key; generated once and kept in the data folder when empty")
    debug: bool = _setting(False, "Django's debug pages; never on a machine others can reach")
    allowed_hosts: str = _setting("localhost,127.0.0.1,[::1]", "Host names the web server answers to, comma-separated")
    https: bool = _setting(False, "The dashboard is reached over HTTPS: secure cookies, redirect, HSTS")
    testing: bool = _setting(False, "Enables KTRDR_FAULTS; never in production")
    faults: str = _setting("", "Named fault points: design.claimed=pause:30,training.epoch=kill (with KTRDR_TESTING=1)")

    heartbeat: float = _setting(1.0, "How often a worker calls sync")
    lease: float = _setting(6.0, "How long a worker's silence is borne before its work may be taken over")
    suspect: float = _setting(2.5, "After how long a silence a worker gets no new work")
    sync_rate: float = _setting(
        200.0, "Calls a second of all workers together, above which they are told to call less often"
    )
    phase_lease: float = _setting(5.0, "Lease of an in-process phase, renewed every second")
    db_grace: float = _setting(10.0, "No in-process phase is judged for so long after PostgreSQL restarted")
    amnesty: float = _setting(
        30.0, "No lease ends for so long after most workers of one entry point went silent together"
    )
    drain: float = _setting(10.0, "How long running phases and workers get to hand over on SIGTERM")
    max_orphans: int = _setting(5, "Tries lost in a row without a new checkpoint before a phase is given up")
    max_active: int = _setting(0, "Researches active at once; 0: workers + 1")
    phase_slots: int = _setting(4, "In-process phases one cluster runs at once")
    design_deadline: float = _setting(120.0, "A design that takes longer is timed out and tried again")
    assessment_deadline: float = _setting(300.0, "An assessment that takes longer is timed out and tried again")
    training_deadline: float = _setting(6 * 3600.0, "A training that takes longer is timed out and tried again")
    backtest_deadline: float = _setting(3600.0, "A backtest that takes longer is timed out and tried again")
    max_blob_mb: int = _setting(256, "Largest checkpoint or artifact a worker may send, in MiB")

    @property
    def blob_dir(self) -> Path:
        return self.data_dir / "blobs"


def variable(name: str) -> str:
    """Environment variable of a field."""
    own = {f.name: f.metadata["name"] for f in fields(Environment)}[name]
    return own or f"KTRDR_{name.upper()}"


def read(source: Mapping[str, str] | None = None) -> Environment:
    """Read and check the environment.

    Raises `BadSetting` naming the variable when a value has the wrong form.
    """
    source = os.environ if source is None else source
    values: dict[str, Any] = {}
    for spec in fields(Environment):
        name = variable(spec.name)
        text = source.get(name)
        if text is None or text == "":
            continue
        values[spec.name] = _parse(name, text, type(spec.default))
    return Environment(**values)


def _parse(name: str, text: str, kind: Any) -> Any:
    if issubclass(kind, Path):
        return Path(text).expanduser().resolve()
    if kind is bool:
        if text.lower() not in {"0", "1", "true", "false", "yes", "no"}:
            raise BadSetting(f"{name} is {text!r}: write 1 or 0.")
        return text.lower() in {"1", "true", "yes"}
    try:
        value = kind(text)
    except ValueError:
        raise BadSetting(f"{name} is {text!r}: write a number such as 5.") from None
    if kind in {int, float} and not value >= 0:
        raise BadSetting(f"{name} is {text!r}: it must not be negative.")
    return value


def unknown(source: Mapping[str, str] | None = None) -> dict[str, str]:
    """Variables that begin with `KTRDR_` and mean nothing, each with the one that was probably meant, or ""."""
    source = os.environ if source is None else source
    known = {variable(spec.name) for spec in fields(Environment)} | ELSEWHERE
    strange = sorted(name for name in source if name.startswith(_PREFIX) and name not in known)
    return {name: next(iter(get_close_matches(name, known, 1, 0.8)), "") for name in strange}


def example() -> str:
    """The text of `.env.example`: every setting with its meaning and default. `python -m ktrdr_site.environment`."""
    first = "# Every setting of KTRDR, with its default. Durations are seconds."
    said = [f"{first} Set what you want to change in the environment."]
    for spec in fields(Environment):
        said += ["", f"# {spec.metadata['help']}", f"# {variable(spec.name)}={_written(spec.default)}"]
    return "\n".join(said) + "\n"


def _written(default: Any) -> str:
    if isinstance(default, bool):
        return "1" if default else "0"
    if isinstance(default, Path):
        return f"./{default.relative_to(PROJECT)}"
    return f"{default:g}" if isinstance(default, float) else str(default)


if __name__ == "__main__":
    sys.stdout.write(example())
