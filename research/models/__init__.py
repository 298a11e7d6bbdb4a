"""What the backend remembers. One noun a file; facts and queries here, changes of state only in `research.services`."""

from research.models.checkpoint import Artifact, Checkpoint, Measure
from research.models.event import Event, EventCounter, Level, Topic
from research.models.holdout import Holdout
from research.models.operation import Operation
from research.models.research import Research
from research.models.schedule import Schedule
from research.models.strategy import Dataset, Strategy, Trial
from research.models.system import Cluster, Cover, Term, WebProcess
from research.models.worker import Worker, WorkerSession, WorkerToken

__all__ = [
    "Artifact", "Checkpoint", "Cluster", "Cover", "Dataset", "Event", "EventCounter", "Holdout", "Level", "Measure",
    "Operation", "Research", "Schedule", "Strategy", "Term", "Topic", "Trial", "WebProcess", "Worker",
    "WorkerSession", "WorkerToken",
]  # fmt: skip
