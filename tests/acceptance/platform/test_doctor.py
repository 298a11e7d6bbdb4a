"""`manage.py doctor` tells a sound installation from a broken one."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from tests.support.stack import Stack

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.acceptance


def test_a_running_platform_is_sound(lasting: Stack) -> None:
    findings = {finding["what"]: finding for finding in lasting.manage_json("doctor")}
    assert all(finding["ok"] for finding in findings.values())
    assert findings["migrations"]["found"] == "all applied"
    assert str(lasting.pid("web")) in findings["web"]["found"]


def test_what_is_wrong_is_said_and_makes_it_fail_and_secrets_are_never_shown(tmp_path: Path) -> None:
    secret = "do-not-show-" + os.urandom(20).hex()
    stack = Stack(tmp_path, environment={"KTRDR_SECRET_KEY": secret, "KTRDR_LEASE": "1.5", "KTRDR_DEBUG": "1"})
    done = stack.manage("doctor", "--json", check=False)
    assert done.returncode == 1
    assert secret not in done.stdout
    assert {finding["what"] for finding in json.loads(done.stdout) if not finding["ok"]} == {
        "KTRDR_LEASE",
        "KTRDR_DEBUG",
        "PostgreSQL",
    }
