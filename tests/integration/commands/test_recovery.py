"""`manage.py recovery status`: who leads, who can hear, what would be done next and why."""

from __future__ import annotations

import re
from typing import Any

import pytest

from research.lifecycle.states import Kind, State
from research.models import Cover, Operation, Worker
from research.models.clock import DatabaseNow, In
from research.services import terms
from tests.integration.commands.calls import answer, said
from tests.integration.services_data import rows

pytestmark = pytest.mark.django_db(transaction=True)


def heard() -> None:
    Cover.objects.update_or_create(id=1, defaults={"up_since": In(-60), "noted_at": DatabaseNow()})


def planned(research: int) -> dict[str, Any]:
    [found] = [one for one in answer("recovery", "status")["planned"] if one["research"] == research]
    return found


def test_where_nothing_happens_nothing_is_planned() -> None:
    found = answer("recovery", "status")
    assert {key: found[key] for key in ("leader", "api_up_since", "active", "workers", "planned")} == {
        "leader": None, "api_up_since": None, "active": [], "workers": [], "planned": [],
    }  # fmt: skip
    assert "Nothing is to be done." in said("recovery", "status")


def test_the_leader_the_lease_clock_and_the_workers_are_said() -> None:
    heard()
    terms.begin(cluster=rows.CLUSTER, backend_pid=1, label="cluster here")
    operation = rows.running(rows.worker("gpu"))
    found = answer("recovery", "status")
    assert found["leader"]["label"] == "cluster here"
    assert 0 < found["leader"]["lease_s"] <= terms.TERM_LEASE_S
    assert found["api_up_since"]
    [worker] = found["workers"]
    assert set(worker) == {"name", "incarnation", "state", "kinds", "heartbeat_age_s", "operations"}
    [active] = found["active"]
    assert (active["operation"]["id"], active["operation"]["runner"]) == (operation.pk, "worker gpu")
    assert 0 < active["operation"]["lease_s"] <= 6
    assert (planned(operation.research_id)["step"], planned(operation.research_id)["why"]) == (
        "wait",
        "its runner lives",
    )


def test_a_silent_worker_is_waited_for_until_another_can_take_over() -> None:
    heard()
    operation = rows.running(rows.worker("gpu"))
    Operation.objects.filter(pk=operation.pk).update(lease_expires_at=In(-20))
    Worker.objects.update(last_seen_at=In(-26))
    assert planned(operation.research_id)["step"] == "wait"
    rows.worker("cpu")
    Worker.objects.filter(name="cpu").update(idle=True)
    plan = planned(operation.research_id)
    assert (plan["step"], plan["operation"]) == ("orphan", operation.pk)
    assert "cpu is idle and can take over" in plan["why"]
    assert "orphan" in said("recovery", "status")
    operation.refresh_from_db()
    assert operation.status == "running", "status changes nothing"


def test_a_phase_whose_process_is_gone_is_an_orphan_and_goes_on_from_its_checkpoint() -> None:
    operation = rows.running_design()
    plan = planned(operation.research_id)
    assert (plan["step"], plan["why"]) == ("orphan", "its runner is lost: its database session is gone")
    rows.lost(operation)
    plan = planned(operation.research_id)
    assert plan["step"] == "start"
    assert plan["why"] == f"design, try 2, from its beginning; operation {operation.pk} ended as orphaned"


def test_while_an_amnesty_holds_no_phase_is_judged() -> None:
    operation = rows.running_design()
    term, _ = terms.begin(cluster=rows.CLUSTER, backend_pid=1, label="here")
    terms.Term.objects.filter(pk=term).update(amnesty_until=In(30), amnesty_reason="PostgreSQL restarted")
    assert answer("recovery", "status")["amnesty"] == "PostgreSQL restarted"
    why = planned(operation.research_id)["why"]
    assert re.fullmatch(r"no phase is judged for \d+ s more: PostgreSQL restarted", why)


def test_a_result_is_to_be_moved_on_and_a_pending_research_to_begin() -> None:
    parent = rows.research(State.DESIGNING)
    done = rows.completed(rows.running_design(parent), spec={})
    assert planned(parent.pk) == {
        "research": parent.pk, "operation": None, "step": "move on",
        "why": f"operation {done.pk} has the result of this phase",
    }  # fmt: skip


def test_a_pending_research_with_a_place_is_to_begin() -> None:
    pending = rows.research(State.PENDING)
    assert planned(pending.pk)["step"] == "begin"


def test_a_training_nobody_can_do_says_so() -> None:
    heard()
    parent = rows.research()
    rows.queued(parent, Kind.TRAINING)
    assert planned(parent.pk)["why"] == "no training worker is connected"
