"""What a first visitor gets: an account, sample data, a first research; once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth import authenticate, get_user_model

from research.models import Dataset, Research
from tests.integration.commands.calls import said
from tests.support.stack import Stack
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.django_db(transaction=True)
def test_everything_is_set_up_once_and_the_password_shown_once() -> None:
    first = said("bootstrap", "--url", "http://here")
    password = re.search(r"password +(\S+)  shown only now", first)
    assert password is not None
    assert authenticate(username="operator", password=password[1]) is not None
    assert "dashboard  http://here" in first
    assert "5031 bars of NASDAQ 1d" in first
    again = said("bootstrap", "--url", "http://here")
    assert password[1] not in again
    assert "changepassword operator" in again
    assert get_user_model().objects.count() == Dataset.objects.count() == Research.objects.count() == 1


@pytest.mark.acceptance
def test_a_first_run_follows_the_first_research_to_its_verdict(tmp_path: Path) -> None:
    """As `make run` does on a fresh machine."""
    with Stack(tmp_path / "data", arguments=["--first-run"]) as stack:
        wait_until(
            lambda: "Start your own" in stack.terminal, timeout=60, what="the first research is followed to its end"
        )
        said = stack.terminal
        assert re.search(r"Verdict: (PROMISING|INCONCLUSIVE|REJECT)", said)
        assert (
            said.index("password") < said.index("5031 bars") < said.index("begins designing") < said.index("Verdict:")
        )
        assert "Sharpe ratio" in said
        assert "django-q" not in said, "what the queue does is no news to a visitor"
        assert "\x1b" not in said
        [row] = stack.manage_json("research", "list")
        assert row["state"] == "completed"
        assert stack.manage("recovery", "check", "--deep").stdout.startswith("clean")
        shown = stack.manage_json("research", "show", str(row["id"]))
        assert [one["kind"] for one in shown["operations"]] == ["design", "training", "backtest", "assessment"]
        assert all(shown[name] for name in ("model_sha256", "trades_sha256", "equity_sha256", "verdict"))
