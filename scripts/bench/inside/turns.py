"""Measures the coordinator's turns in the database of `KTRDR_DATA_DIR`; prints figures as JSON."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import django

if TYPE_CHECKING:
    from collections.abc import Callable

    from research.coordinator.leader import Leader

UNCHANGED = 200


def main(active: int, changed: int, turns: int) -> None:
    from research.coordinator import attention
    from research.coordinator.leader import Leader
    from research.models import Research
    from scripts.bench.inside.population import populate

    populate(active)
    with Leader(uuid4(), "bench") as leader, Holding():
        measure = Measure(leader, changed)
        measure.turn()  # the first looks at everything
        there = Research.objects.active().count()
        note = f"{there} active researches in the database; of those that changed 6 have a result, 4 were lost"
        samples = [measure.turn() for _ in range(turns)]
        full = [_timed(attention.needing_attention) for _ in range(turns)]
        idle = [measure.idle() for _ in range(turns)]
        step = measure.unchanged(UNCHANGED) / UNCHANGED
        said = [
            _figure("coordinator: a turn in which 10 changed", samples, note, p50=0.05),
            _figure("coordinator: a turn in which nothing changed", idle, "the looks of every second"),
            _figure("coordinator: the look at everything, every 10 s", full, "beside such a turn, once every 10 s"),
            _figure(
                "baseline: a turn that takes a step for every active research", [step * there],
                f"reckoned from {UNCHANGED} such steps: {step * there / sorted(samples)[turns // 2]:.0f} times a turn",
            ),
        ]  # fmt: skip
    sys.stdout.write(json.dumps(said) + "\n")


def _figure(what: str, samples: list[float], note: str, **goals: float) -> dict[str, Any]:
    return {"what": what, "samples": samples, "goals": goals, "note": note}


class Holding:
    """The sessions of the four designs that run: their locks are held."""

    def __enter__(self) -> None:
        from research.models import Operation
        from research.runners.hold import open_session
        from research.runners.keys import LOCK_OPERATION, second_key

        self.session = open_session("bench")
        for operation in Operation.objects.running().in_process():
            self.session.execute("SELECT pg_advisory_lock(%s, %s)", [LOCK_OPERATION, second_key(operation.pk)])

    def __exit__(self, *_: object) -> None:
        self.session.close()


class Measure:
    def __init__(self, leader: Leader, changed: int) -> None:
        from research.coordinator.loop import Rounds

        self.leader, self.changed = leader, changed
        self.rounds = Rounds(leader)
        self.first = True

    def turn(self) -> float:
        """Seconds from the commit of the last change to the end of the turn that answered all of them."""
        from research.coordinator import attention
        from research.coordinator.leader import EVERYTHING

        self.leader.wait(0.01)  # what the last turn itself told
        ids = set(self._change())
        self.leader.keep()
        self.rounds._tick = 0.0  # noqa: SLF001 - the looks of every second are part of it
        began = time.perf_counter()
        woken: set[int] = set()
        while not woken >= ids:
            woken |= self.leader.wait(5)
        self.rounds.turn({*woken, EVERYTHING} if self.first else woken, attention.present())
        took = time.perf_counter() - began
        self.first = False
        self._assert_answered(ids)
        return took

    def idle(self) -> float:
        from research.coordinator import attention

        self.leader.keep()
        self.rounds._tick = 0.0  # noqa: SLF001
        return _timed(lambda: self.rounds.turn(set(), attention.present()))

    def unchanged(self, count: int) -> float:
        """Seconds for a step of each of so many researches that need none."""
        from research.coordinator.apply import advance
        from research.models import Research
        from research.runners.liveness import Amnesty

        ids = Research.objects.active().filter(state="training").values_list("id", flat=True)[:count]
        took = 0.0
        for research in list(ids):
            self.leader.keep()
            took += _timed(lambda: advance(research, self.leader.term, Amnesty()))  # noqa: B023 - called at once
        return took

    def _change(self) -> list[int]:
        """Six trainings of ten have their result, four were lost with their process."""
        from research.lifecycle.states import Reason
        from research.models import Operation
        from research.services import operations
        from research.services.change import change
        from tests.support import factories

        running = list(Operation.objects.running().external().select_related("worker")[: self.changed])
        if len(running) != self.changed:
            raise RuntimeError("no operation runs any more that could change")
        for number, operation in enumerate(running):
            with change() as record:
                if number % 5 < 3:
                    result = factories.training_result(operation, store=False)
                    operations.complete(record, operation, result=result)
                else:
                    operations.fail(record, operation, reason=Reason.CRASHED, message="Killed by SIGSEGV.")
        return [operation.research_id for operation in running]

    def _assert_answered(self, ids: set[int]) -> None:
        from research.models import Operation

        answered = Operation.objects.queued().filter(research_id__in=ids).count()
        if answered != len(ids):
            raise RuntimeError(f"{answered} of {len(ids)} have their next operation")


def _timed(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ktrdr_site.settings")
    django.setup()
    main(*map(int, sys.argv[1:4]))
