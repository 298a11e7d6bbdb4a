"""System checks: settings that would break the recovery contract are refused before anything runs.

Django asks them with `manage.py check`, and before `migrate`, which `manage.py up` begins with.
"""

from __future__ import annotations

import ipaddress
import os
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register  # noqa: A004 - Django's name

from ktrdr_site.environment import unknown, variable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from ktrdr_site.environment import Environment

RENEWED_EVERY_S = 1.0  # a phase's lease
SHORTEST_KEY, FEWEST_CHARACTERS = 50, 5  # as Django asks for with `check --deploy`
_DURATIONS = (
    "heartbeat", "lease", "suspect", "phase_lease", "design_deadline", "assessment_deadline", "training_deadline",
    "backtest_deadline",
)  # fmt: skip
_LEAST = {
    "max_orphans": 1, "phase_slots": 1, "max_blob_mb": 1, "max_active": 0, "drain": 0, "training_workers": 0,
    "backtest_workers": 0,
}  # fmt: skip
_QUEUE = {"max_attempts": 1, "ack_failures": True, "queue_limit": 1, "bulk": 1}


@register("ktrdr")
def check_settings(app_configs: Sequence[Any] | None, **_options: Any) -> list[CheckMessage]:  # noqa: ARG001
    """Every check of this module on the settings in force."""
    env: Environment = settings.ENV
    key, production = str(settings.SECRET_KEY), not (env.debug or env.testing)
    return [
        *check_environment(env),
        *check_queue(settings.Q_CLUSTER, env),
        *check_folder(env.blob_dir),
        *(check_key(key) if production else ()),
        *check_exposure(env),
        *(check_names(os.environ) if production else ()),
    ]


def check_environment(env: Environment) -> Iterator[CheckMessage]:
    """Durations and numbers that contradict each other."""
    for name in _DURATIONS:
        if getattr(env, name) <= 0:
            yield _error(1, f"{variable(name)} is {getattr(env, name):g}.", "It must be longer than 0 seconds.")
    if env.lease <= env.heartbeat:
        yield _error(2, _both(env, "lease", "heartbeat"), "The lease must be longer, best six heartbeats: 6 and 1.")
    if env.suspect >= env.lease:
        yield _error(3, _both(env, "suspect", "lease"), "A worker must be suspect before its lease ends: 2.5 and 6.")
    if env.suspect <= env.heartbeat:
        yield _error(4, _both(env, "suspect", "heartbeat"), "A single late heartbeat would be suspect: 2.5 and 1.")
    if env.phase_lease < 2 * RENEWED_EVERY_S:
        text = f"{variable('phase_lease')} is {env.phase_lease:g}, and it is renewed every second."
        yield _error(5, text, "It must be at least 2.")
    for name, least in _LEAST.items():
        if getattr(env, name) < least:
            yield _error(6, f"{variable(name)} is {getattr(env, name):g}.", f"It must be at least {least}.")
    yield from _forgiveness(env)
    yield from _deadlines(env)


def _forgiveness(env: Environment) -> Iterator[CheckMessage]:
    """Time to come back that is over before anything would be judged is none."""
    if env.db_grace < 2 * RENEWED_EVERY_S:
        text = f"{variable('db_grace')} is {env.db_grace:g}."
        hint = "Phases need 2 seconds to take their locks and leases again after PostgreSQL restarted: 10."
        yield _error(14, text, hint)
    if env.amnesty <= env.lease - env.suspect:
        hint = "Silence is noticed after KTRDR_SUSPECT; the amnesty would be over before any lease ends: 30 and 6."
        yield _error(15, _both(env, "amnesty", "lease"), hint)


def _deadlines(env: Environment) -> Iterator[CheckMessage]:
    """A deadline shorter than a lease would be blamed for every silence."""
    pairs = {"phase_lease": ("design_deadline", "assessment_deadline"),
             "lease": ("training_deadline", "backtest_deadline")}  # fmt: skip
    for lease, names in pairs.items():
        for name in names:
            if 0 < getattr(env, name) <= getattr(env, lease):
                hint = "Work that is only silent for a moment would be timed out: make the deadline longer."
                yield Warning(_both(env, name, lease), hint=hint, id="ktrdr.W003")


def check_queue(queue: Mapping[str, Any], env: Environment) -> Iterator[CheckMessage]:
    """The task queue must never stop, count or repeat a task by itself: our own tables are the only authority."""
    longest = max(env.design_deadline, env.assessment_deadline)
    if queue["timeout"] <= longest:
        text = f"Q_CLUSTER's timeout is {queue['timeout']} s, the longest deadline of a phase {longest:g} s."
        yield _error(7, text, "The timeout must be longer, or the queue kills a phase that is still in time.")
    if queue["retry"] <= queue["timeout"]:
        text = f"Q_CLUSTER's retry is {queue['retry']} s, its timeout {queue['timeout']} s."
        yield _error(8, text, "The retry must be longer, or the queue repeats what still runs.")
    if wrong := [f"{name}={queue.get(name)!r}" for name, value in _QUEUE.items() if queue.get(name) != value]:
        needed = ", ".join(f"{name}={value!r}" for name, value in _QUEUE.items())
        yield _error(9, f"Q_CLUSTER has {', '.join(wrong)}.", f"The queue would repeat tasks by itself: {needed}.")
    if queue["workers"] < env.phase_slots + 2:
        text = f"Q_CLUSTER has {queue['workers']} workers for {env.phase_slots} phases."
        yield _error(10, text, "It needs two more than phases: for the leader and for the canary.")


def check_folder(folder: Path) -> Iterator[CheckMessage]:
    """Blobs can be written. A folder that is not there yet is made with the first blob."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if not there.is_dir():
        yield _error(11, f"The blob folder {folder} cannot be: {there} is no folder.", "Set KTRDR_DATA_DIR.")
    elif not os.access(there, os.W_OK | os.X_OK):
        hint = "Give this account the right to write there, or set KTRDR_DATA_DIR."
        yield _error(11, f"The blob folder {folder} cannot be written: no permission for {there}.", hint)


def check_key(key: str) -> Iterator[CheckMessage]:
    """A key that can be guessed lets anybody forge sessions and tasks."""
    if len(key) < SHORTEST_KEY or len(set(key)) < FEWEST_CHARACTERS or key.startswith("django-insecure-"):
        hint = "Unset KTRDR_SECRET_KEY to have one made and kept in the data folder, or give 50 random characters."
        yield _error(12, "KTRDR_SECRET_KEY can be guessed.", hint)


def check_exposure(env: Environment) -> Iterator[CheckMessage]:
    """What is for a developer's own machine only."""
    if _loopback(env.host):
        return
    if env.debug:
        yield _error(13, f"KTRDR_DEBUG is on and KTRDR_HOST is {env.host}.", "Its pages show settings: turn it off.")
    if env.testing:
        hint = "Faults can be injected: unset KTRDR_TESTING."
        yield Warning(f"KTRDR_TESTING is on and KTRDR_HOST is {env.host}.", hint=hint, id="ktrdr.W001")


def check_names(source: Mapping[str, str]) -> Iterator[CheckMessage]:
    """A misspelt variable would be ignored without a word."""
    for name, meant in unknown(source).items():
        hint = f"Did you mean {meant}?" if meant else "Unset it; .env.example lists every setting there is."
        yield Warning(f"{name} is no setting of KTRDR and has no effect.", hint=hint, id="ktrdr.W002")


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _both(env: Environment, one: str, other: str) -> str:
    return f"{variable(one)} is {getattr(env, one):g} and {variable(other)} {getattr(env, other):g}."


def _error(number: int, text: str, hint: str) -> Error:
    return Error(text, hint=hint, id=f"ktrdr.E{number:03}")
