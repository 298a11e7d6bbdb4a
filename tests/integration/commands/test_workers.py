"""`manage.py workers`."""

from __future__ import annotations

import pytest

from research.models import Event, Worker, WorkerToken
from research.services import tokens
from research.services.errors import Unauthorised
from tests.integration.commands.calls import answer, refusal, said
from tests.integration.services_data import rows

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_token_is_shown_once_serves_its_pool_and_can_be_revoked() -> None:
    made = answer("workers", "create-token", "gpu")
    row = tokens.authenticate(made["token"])
    assert made["name"] == "gpu"
    assert tokens.serves(row, "gpu-7")
    assert made["token"] not in str(WorkerToken.objects.values())
    assert answer("workers", "revoke-token", "gpu") == {"name": "gpu", "revoked": 1}
    with pytest.raises(Unauthorised):
        tokens.authenticate(made["token"])
    assert "There is no valid token for 'gpu'" in str(refusal("workers", "revoke-token", "gpu"))


def test_a_token_for_people_is_one_line_alone() -> None:
    assert tokens.authenticate(said("workers", "create-token", "gpu").strip()).name == "gpu"


def test_a_name_no_worker_can_have_is_refused() -> None:
    problem = refusal("workers", "create-token", "No Worker")
    assert problem.returncode == 2
    assert "cannot be a worker's name" in str(problem)


def test_the_list_says_how_workers_are_and_what_they_run() -> None:
    assert "No worker was ever connected" in said("workers", "list")
    operation = rows.running(rows.worker("gpu", "training"))
    rows.worker("cpu", "backtest")
    found = {one["name"]: one for one in answer("workers", "list")}
    assert found["gpu"]["operations"][0]["id"] == operation.pk
    assert (found["cpu"]["state"], found["cpu"]["operations"]) == ("connected", [])
    text = said("workers", "list")
    assert f"training of research {operation.research_id} 0.0 %" in text


def test_a_worker_is_asked_to_leave_once() -> None:
    rows.worker("gpu")
    assert "is asked to hand over" in said("workers", "drain", "gpu")
    assert Worker.objects.get().drain_requested
    assert [one["state"] for one in answer("workers", "list")] == ["draining"]
    assert [one["state"] for one in answer("recovery", "status")["workers"]] == ["draining"]
    assert Event.objects.get(code="operator.drain").worker == "gpu"
    assert "draining already" in str(refusal("workers", "drain", "gpu"))
    assert "There is no worker cpu" in str(refusal("workers", "drain", "cpu"))
    assert Event.objects.filter(code="operator.drain").count() == 1
