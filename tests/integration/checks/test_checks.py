"""System checks: each finds what it is for, and nothing in settings that are sound."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings

from ktrdr_site.environment import PROJECT, Environment
from research import checks
from tests.support.stack import clean_environment

if TYPE_CHECKING:
    from pytest_django.fixtures import SettingsWrapper

SOUND = Environment()


def ids(found: Any) -> list[str]:
    return [message.id for message in found]


def test_the_settings_as_shipped_are_sound(settings: SettingsWrapper) -> None:
    assert checks.check_settings(None) == []
    settings.ENV = replace(settings.ENV, testing=False)
    assert checks.check_settings(None) == []


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"training_deadline": 0.0}, ["ktrdr.E001"]),
        ({"lease": 1.0, "suspect": 0.5, "heartbeat": 1.0}, ["ktrdr.E002", "ktrdr.E004"]),
        ({"suspect": 6.0}, ["ktrdr.E003"]),
        ({"suspect": 1.0}, ["ktrdr.E004"]),
        ({"phase_lease": 1.5}, ["ktrdr.E005"]),
        ({"max_orphans": 0}, ["ktrdr.E006"]),
        ({"phase_slots": 0}, ["ktrdr.E006"]),
        ({"max_blob_mb": 0}, ["ktrdr.E006"]),
        ({"max_active": -1}, ["ktrdr.E006"]),
        ({"drain": -1.0}, ["ktrdr.E006"]),
        ({"training_workers": -1, "backtest_workers": -1}, ["ktrdr.E006", "ktrdr.E006"]),
        ({"heartbeat": 0.0}, ["ktrdr.E001"]),
        ({"heartbeat": 7.0}, ["ktrdr.E002", "ktrdr.E004"]),
        ({"lease": 2.0}, ["ktrdr.E003"]),
        ({"lease": 2.5}, ["ktrdr.E003"]),
        ({"db_grace": 1.9}, ["ktrdr.E014"]),
        ({"db_grace": 2.0}, []),
        ({"lease": 40.0}, ["ktrdr.E015"]),
        ({"amnesty": 0.0}, ["ktrdr.E015"]),
        ({"lease": 40.0, "amnesty": 60.0}, []),
        ({"design_deadline": 5.0}, ["ktrdr.W003"]),
        ({"training_deadline": 6.0, "backtest_deadline": 6.0}, ["ktrdr.W003", "ktrdr.W003"]),
        ({"heartbeat": 0.5, "suspect": 1.5, "lease": 3.0}, []),
    ],
)
def test_numbers_that_contradict_each_other_are_found(given: dict[str, Any], wanted: list[str]) -> None:
    assert ids(checks.check_environment(replace(SOUND, **given))) == wanted


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"timeout": 300}, ["ktrdr.E007"]),
        ({"retry": 900}, ["ktrdr.E008"]),
        ({"max_attempts": 0}, ["ktrdr.E009"]),
        ({"ack_failures": False}, ["ktrdr.E009"]),
        ({"bulk": 5, "queue_limit": 50}, ["ktrdr.E009"]),
        ({"workers": 5}, ["ktrdr.E010"]),
        ({}, []),
    ],
)
def test_a_queue_that_would_act_by_itself_is_found(given: dict[str, Any], wanted: list[str]) -> None:
    assert ids(checks.check_queue(settings.Q_CLUSTER | given, SOUND)) == wanted


def test_a_longer_deadline_moves_the_queue_along() -> None:
    assert ids(checks.check_queue(settings.Q_CLUSTER, replace(SOUND, design_deadline=10_000.0))) == ["ktrdr.E007"]


def test_a_blob_folder_that_cannot_be_is_found(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    [found] = checks.check_folder(tmp_path / "file" / "blobs")
    assert (found.id, "is no folder" in found.msg) == ("ktrdr.E011", True)
    assert not ids(checks.check_folder(tmp_path / "not" / "yet" / "there"))


def test_a_blob_folder_without_permission_is_found() -> None:
    closed = Path("/proc/self")  # nobody may write there, not even root
    [found] = checks.check_folder(closed / "blobs")
    assert (found.id, "no permission for /proc/self" in found.msg) == ("ktrdr.E011", True)


@pytest.mark.parametrize("key", ["short", "a" * 60, "django-insecure-" + "abcdefgh" * 8])
def test_a_key_that_can_be_guessed_is_found(key: str) -> None:
    assert ids(checks.check_key(key)) == ["ktrdr.E012"]


def test_debug_pages_and_faults_that_others_can_reach_are_found() -> None:
    assert ids(checks.check_exposure(replace(SOUND, host="0.0.0.0", debug=True))) == ["ktrdr.E013"]
    assert ids(checks.check_exposure(replace(SOUND, host="example.org", testing=True))) == ["ktrdr.W001"]
    assert ids(checks.check_exposure(replace(SOUND, host="::1", debug=True, testing=True))) == []
    assert ids(checks.check_exposure(replace(SOUND, host="localhost", debug=True))) == []


def test_a_wrong_environment_is_refused_with_what_to_write(tmp_path: Path) -> None:
    environment = clean_environment(tmp_path, {"KTRDR_LEASE": "1", "KTRDR_SECRET_KEY": "guess", "KTRDR_TESTING": "0"})
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "(ktrdr.E002) KTRDR_LEASE is 1 and KTRDR_HEARTBEAT 1." in done.stderr
    assert "HINT: The lease must be longer" in done.stderr
    assert "ktrdr.E012" in done.stderr


def test_a_misspelt_variable_is_reported_with_the_one_that_was_meant() -> None:
    found = list(checks.check_names({"KTRDR_LEASES": "5", "KTRDR_WHATEVER_THIS": "1", "KTRDR_LEASE": "6", "HOME": "x"}))
    assert ids(found) == ["ktrdr.W002", "ktrdr.W002"]
    assert "Did you mean KTRDR_LEASE?" in str(found[0].hint)
    assert "KTRDR_WHATEVER_THIS" in str(found[1].msg)
