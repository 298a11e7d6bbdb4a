"""Every situation a research can be in, built by the services; stored times are moved instead of waited for."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from research.lifecycle.states import Reason, State
from research.models import Operation, Research
from research.selectors.standing import Code
from research.services import operations, researches, workers
from research.services.change import change
from tests.integration.coordinator.cast import covered
from tests.integration.services_data import rows
from tests.support import factories
from tests.support.caller import Caller, running
from tests.support.sql import execute, shift

if TYPE_CHECKING:
    from collections.abc import Callable


def cluster(*, silent: float = 0, leaving: bool = False, key: object = None) -> None:
    """A cluster whose main process lives."""
    execute(
        "INSERT INTO research_cluster (id, label, started_at, noted_at, stamped_at, drain_until) VALUES (%(id)s,"
        " 'box pid 5', now(), clock_timestamp(), clock_timestamp() - make_interval(secs => %(silent)s),"
        " CASE WHEN %(leaving)s THEN clock_timestamp() + interval '10 s' END)",
        id=key or uuid4(), silent=float(silent), leaving=leaving,
    )  # fmt: skip


def led() -> None:
    """A cluster is there, a coordinator leads, and a web process has heard workers for an hour."""
    cluster()
    covered()
    factories.term()


def silent(name: str, seconds: float) -> None:
    """Nobody has heard of the worker for so long; the lease of its work ended accordingly."""
    shift("worker", -seconds, "last_seen_at", where=f"name = '{name}'")
    execute("UPDATE research_operation SET lease_expires_at = lease_expires_at - make_interval(secs => %(by)s)"
            " WHERE status = 'running' AND worker_id = (SELECT id FROM research_worker WHERE name = %(name)s)",
            by=float(seconds), name=name)  # fmt: skip


def training(name: str = "gpu", unit: int = 41) -> Operation:
    """Runs on that worker, which saved its epoch 40."""
    led()
    caller = factories.worker(name)
    operation = factories.training_on(caller)
    caller.sync(running(operation, unit))
    factories.checkpoint(operation, 40)
    return operation


def design() -> Operation:
    """Runs in a process that holds nothing: no lock is taken."""
    cluster(key=factories.CLUSTER)
    factories.term()
    return factories.claimed()


def busy(name: str) -> Caller:
    """A worker that runs something else."""
    caller = factories.worker(name)
    factories.training_on(caller)
    return caller


def parent(operation: Operation) -> Research:
    return Research.objects.get(pk=operation.research_id)


# Before it begins, and between operations ---------------------------------------------------------------------------


def waits_for_place() -> Research:
    led()
    factories.training_research()
    return factories.pending_research()


def unled() -> Research:
    return factories.pending_research()


def called() -> Research:
    cluster()
    return factories.pending_research()


def begins() -> Research:
    led()
    return factories.pending_research()


def between() -> Research:
    led()
    return factories.training_research()


# Queued -------------------------------------------------------------------------------------------------------------


def back_off() -> Research:
    led()
    first = factories.orphaned_training()
    return parent(factories.queued(first.research, delay=8.0))


def cluster_busy() -> Research:
    led()
    [home] = execute_ids()
    for _ in range(4):
        operation = factories.queued(factories.designing_research())
        with change() as record:
            operations.claim_in_process(record, operation, cluster=home, pid=1, runner="r", lease=5, deadline=60)  # type: ignore[arg-type]
    return parent(factories.queued(factories.designing_research()))


def execute_ids() -> list[object]:
    from research.models import Cluster

    return list(Cluster.objects.values_list("id", flat=True))


def cluster_leaving() -> Research:
    cluster(leaving=True)
    factories.term()
    return parent(factories.queued(factories.designing_research()))


def cluster_wedged() -> Research:
    cluster(silent=9)
    factories.term()
    return parent(factories.queued(factories.designing_research()))


def cluster_takes() -> Research:
    led()
    return parent(factories.queued(factories.designing_research()))


def queued_training() -> Operation:
    led()
    return factories.queued(factories.training_research())


def unheard() -> Research:
    operation = queued_training()
    factories.worker("gpu")
    execute("UPDATE research_cover SET noted_at = clock_timestamp() - interval '60 s'")
    silent("gpu", 60)
    return parent(operation)


def no_worker() -> Research:
    return parent(queued_training())


def workers_silent() -> Research:
    operation = queued_training()
    factories.worker("gpu")
    silent("gpu", 45)
    return parent(operation)


def workers_suspect() -> Research:
    operation = queued_training()
    factories.worker("gpu")
    silent("gpu", 4)
    return parent(operation)


def workers_draining() -> Research:
    operation = queued_training()
    factories.worker("gpu").sync(draining=True)
    return parent(operation)


def workers_busy() -> Research:
    led()
    busy("gpu")
    return parent(factories.queued(factories.training_research()))


def ahead() -> Research:
    led()
    busy("gpu")
    factories.queued(factories.training_research())
    return parent(factories.queued(factories.training_research()))


def worker_takes() -> Research:
    operation = queued_training()
    factories.worker("gpu")
    return parent(operation)


# Running ------------------------------------------------------------------------------------------------------------


def runs() -> Research:
    return parent(training())


def runs_unled() -> Research:
    operation = training()
    execute("UPDATE research_term SET ended_at = clock_timestamp()")
    execute("UPDATE research_cluster SET ended_at = clock_timestamp()")
    return parent(operation)


def runs_unheard() -> Research:
    operation = training()
    execute("UPDATE research_cover SET noted_at = clock_timestamp() - interval '60 s'")
    return parent(operation)


def no_progress() -> Research:
    operation = training()
    execute("SET session_replication_role = replica")  # a start is never moved once it is written
    shift("operation", -600, "started_at", where=f"id = {operation.pk}")
    execute("SET session_replication_role = DEFAULT")
    execute("UPDATE research_operation SET progressed_at = started_at + interval '10 s'")
    return parent(operation)


def deadline_near() -> Research:
    operation = training()
    execute("UPDATE research_operation SET deadline_at = clock_timestamp() + interval '20 s'")
    return parent(operation)


def overdue() -> Research:
    operation = training()
    shift("operation", -6.5 * 3600, "deadline_at", where=f"id = {operation.pk}")
    return parent(operation)


def amnesty() -> Research:
    operation = design()
    execute("UPDATE research_term SET amnesty_until = clock_timestamp() + interval '8 s',"
            " amnesty_reason = 'PostgreSQL restarted'")  # fmt: skip
    return parent(operation)


def lost() -> Research:
    return parent(design())


def given() -> Research:
    led()
    return parent(factories.training_on(factories.worker("gpu"), reported=False))


def returning() -> Research:
    operation = training()
    silent("gpu", 120)
    covered(1.5)
    return parent(operation)


def suspect() -> Research:
    operation = training()
    silent("gpu", 4)
    return parent(operation)


def silent_together() -> Research:
    operation = training()
    silent("gpu", 12)
    execute("UPDATE research_cover SET silence_since = clock_timestamp() - interval '5 s', silence_ended = false")
    return parent(operation)


def disconnected() -> Research:
    operation = training()
    silent("gpu", 12)
    return parent(operation)


def taken_over() -> Research:
    operation = training()
    silent("gpu", 12)
    factories.worker("cpu")
    return parent(operation)


def handing_over() -> Research:
    operation = training()
    workers.drain("gpu", user="ada")
    return parent(operation)


# Over ---------------------------------------------------------------------------------------------------------------


def completed() -> Research:
    return rows.finish(factories.training_research())


def gave_up() -> Research:
    return factories.failed_research(State.TRAINING, Reason.GAVE_UP)


def failed() -> Research:
    return factories.failed_research(State.TRAINING, Reason.INVALID_INPUT)


def cancelling() -> Research:
    operation = training()
    return researches.cancel(operation.research_id, user="ada")


def cancelled() -> Research:
    return factories.cancelled_research()


BUILD: dict[Code, Callable[[], Research]] = {code: globals()[code.value] for code in Code}
"""By code: what builds it."""

SENTENCES: dict[Code, str] = {
    Code.WAITS_FOR_PLACE: r"1 of 1 researches are active; it begins by itself .* another worker or a higher priority",
    Code.UNLED: r"cannot begin: no coordinator leads: start a cluster \(manage\.py up, or manage\.py cluster\)",
    Code.CALLED: r"as soon as the coordinator, which is being called, leads",
    Code.BEGINS: r"begins in a moment",
    Code.BETWEEN: r"next step of training is taken in a moment",
    Code.BACK_OFF: r"Training was lost and starts again in [78] s \(try 2\); after 5 losses .* given up",
    Code.CLUSTER_BUSY: r"all 4 of the cluster are busy; it begins by itself, and sooner with .* KTRDR_PHASE_SLOTS",
    Code.CLUSTER_LEAVING: r"the cluster box pid 5 is leaving and takes no new phase; start a cluster",
    Code.CLUSTER_WEDGED: r"box pid 5 has finished no task for 9 s; .* replaced by itself. Nothing to do",
    Code.CLUSTER_TAKES: r"Design is queued; a process of the cluster takes it",
    Code.UNHEARD: r"no web process runs, so no worker is heard: start one",
    Code.NO_WORKER: r"no training worker is connected; start one .*python -m workers --kinds training",
    Code.WORKERS_SILENT: r"worker gpu has been silent for 45 s; see whether it runs .* or start another",
    Code.WORKERS_SUSPECT: r"just fallen silent; the first that is heard again takes it",
    Code.WORKERS_DRAINING: r"takes new work: they are draining; start one",
    Code.WORKERS_BUSY: r"the training worker gpu is busy; it begins by itself, and sooner with another worker",
    Code.AHEAD: r"1 ahead of it and the training worker gpu is busy; it begins by itself",
    Code.WORKER_TAKES: r"Training is queued; a worker takes it",
    Code.RUNS: r"runs on worker gpu, 41 of 100 epochs\. Nothing to do: if the worker dies, .* from epoch 40",
    Code.RUNS_UNLED: r"runs on worker gpu, .* nothing follows when it ends, for no coordinator leads: start a cluster",
    Code.RUNS_UNHEARD: r"runs on worker gpu by itself and loses nothing, but no web process runs",
    Code.NO_PROGRESS: r"without progress for 9 min\. .* cancel the research and resume it, or wait: its deadline",
    Code.DEADLINE_NEAR: r"deadline ends in (19|20) s; .* from epoch 40\. .* KTRDR_TRAINING_DEADLINE \(21600 s\)",
    Code.OVERDUE: r"passed its deadline \d+ min ago: it is timed out now and goes on from epoch 40",
    Code.AMNESTY: r"no phase is judged for [78] s more: PostgreSQL restarted\. .* Nothing to do",
    Code.LOST: r"Design lost its process \(cluster c1 pid 77\) and is started again from its beginning in a moment",
    Code.GIVEN: r"Training is given to worker gpu, which is about to begin",
    Code.RETURNING: r"was away and hears workers again since \d s: worker gpu has \d s more .* Nothing to do",
    Code.SUSPECT: r"Worker gpu has been silent for 4 s\. .* lease ends in 2 s, .* from epoch 40 .* Nothing to do",
    Code.SILENT_TOGETHER: r"fell silent together, worker gpu .* no lease ends for 2\d s more: look at the network",
    Code.DISCONNECTED: r"silent for 12 s and no other training worker is connected\. Start gpu again, .* epoch 40",
    Code.TAKEN_OVER: r"silent for 12 s: worker cpu takes the training over, which goes on from epoch 40",
    Code.HANDING_OVER: r"Worker gpu is asked to leave: .* hands the training over, which then goes on from epoch 40",
    Code.COMPLETED: r"Complete: reject",
    Code.GAVE_UP: r"It was lost five times\. .*: manage\.py research resume \d+",
    Code.FAILED: r"The same would happen again: mend the strategy or the data .* manage\.py research resume \d+",
    Code.CANCELLING: r"Cancelled by ada\. Worker gpu is stopping it, which takes 10 s at most",
    Code.CANCELLED: r"Cancelled by ada\. To go on where it stopped: manage\.py research resume \d+",
}

ACTS = {
    Code.UNLED, Code.CLUSTER_LEAVING, Code.UNHEARD, Code.NO_WORKER, Code.WORKERS_SILENT, Code.WORKERS_DRAINING,
    Code.RUNS_UNLED, Code.RUNS_UNHEARD, Code.SILENT_TOGETHER, Code.DISCONNECTED, Code.GAVE_UP, Code.FAILED,
}  # fmt: skip
"""Where nothing goes on without a person; everywhere else it goes on by itself."""
