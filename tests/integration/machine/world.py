"""Everything that acts on the database: leaders, processes, workers, operators and the clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django_q.models import OrmQ

from research.lifecycle.states import ENDED, RESUMABLE
from research.models import Research
from research.services import researches
from tests.integration.machine import clock
from tests.integration.machine.agents import Agent
from tests.integration.machine.leaders import Leaders
from tests.integration.machine.ledger import Ledger
from tests.integration.machine.processes import Process
from tests.support.factories import pending_research

if TYPE_CHECKING:
    from tests.integration.machine.agents import Task

PATIENCE = 40  # fair rounds in which everything must end once faults stop
NAMES = ("ann", "bob")


class World:
    def __init__(self) -> None:
        clock.wipe()
        self.leaders, self.ledger = Leaders(), Ledger()
        self.everybody: list[Agent] = []  # the dead ones, too: calls of theirs may still be on the way
        self.agents = [self.begins(Agent(name)) for name in NAMES]
        self.processes: list[Process] = []

    @property
    def known(self) -> list[int]:
        return list(Research.objects.order_by("id").values_list("id", flat=True))

    @property
    def living(self) -> list[Process]:
        return [one for one in self.processes if not one.gone]

    @property
    def doorbells(self) -> list[OrmQ]:
        return [row for row in OrmQ.objects.order_by("id") if row.group().startswith("operation-")]

    @property
    def tasks(self) -> list[tuple[Agent, Task]]:
        return [(agent, task) for agent in self.agents for task in agent.tasks.values()]

    def research(self, *, designed: bool) -> None:
        pending_research(designed=designed, seed=len(self.known))

    def answer(self, pick: int, *, keep: bool, dies: int = 0) -> Process:
        """Some process takes a doorbell from the queue."""
        bells = self.doorbells
        bell = bells[pick % len(bells)]
        if not keep:
            bell.delete()
        process = Process(int(bell.task["args"][0]))
        self.processes.append(process)
        process.answers(dies)
        return process

    @property
    def zombies(self) -> list[Agent]:
        """Starts of a worker that a newer one has followed, and that do not know yet."""
        newest = {agent.name: agent for agent in self.agents}
        return [agent for agent in self.agents if newest[agent.name] is not agent]

    def begins(self, agent: Agent) -> Agent:
        self.everybody.append(agent)
        return agent

    def restart(self, agent: Agent, *, zombie: bool) -> None:
        """The newest start of its name begins anew. Of zombies only the newest is kept."""
        newest = [one for one in self.agents if one.name == agent.name][-1]
        before = [one for one in self.agents if one.name == agent.name and one is not newest]
        for one in before if zombie else [*before, newest]:
            self.agents.remove(one)
        self.agents.append(self.begins(newest.restarted()))

    def forget_refused(self) -> None:
        """A worker that is told that another took its name kills its children and ends; one that drained, leaves."""
        for agent in [one for one in self.agents if one.refused]:
            self.agents.remove(agent)
        for agent in [one for one in self.agents if one.draining and not one.tasks]:
            self.ledger.drained.add(agent.name)
            self.restart(agent, zombie=False)
        for name in NAMES:
            if not any(one.name == name for one in self.agents):
                self.agents.append(self.begins(Agent(name)))

    def pass_time(self, seconds: float, *, web: bool = True, deaf: int = 0) -> None:
        """Whoever was not frozen or cut off did all the while what it does every second."""
        leader = self.leaders.present
        clock.pass_time(seconds, heard=web)
        if not web and seconds > 2:
            self.ledger.covered_at = clock.now()
        if leader is not None and not deaf & 1:
            clock.execute(f"UPDATE research_term SET ticked_at = clock_timestamp() WHERE id = {leader.term}")
            self.leaders.renews(leader)
        for process in self.living:
            if not deaf & 2:
                process.renews()
        for agent in list(self.agents):
            if web and not deaf & 4:
                agent.call()
        self.forget_refused()

    def look(self) -> None:
        self.ledger.look(self.everybody, self.processes)

    # The end ---------------------------------------------------------------------------------------------------------

    def finish(self) -> None:
        """A last power cut, and no more faults: everything ends, and what failed or was cancelled is resumed."""
        self.power_cut()
        for agent in list(self.agents):
            self.restart(agent, zombie=False)
        self.pass_time(70, deaf=7)
        self._until_ended()
        for pk in Research.objects.filter(state__in=RESUMABLE).values_list("id", flat=True):
            researches.resume(pk, user="ada")
            self.ledger.cancelled.discard(pk)
        self._until_ended()
        self.ledger.settle()

    def power_cut(self) -> None:
        self.leaders.all_die()
        for process in self.living:
            process.dies()

    def _until_ended(self) -> None:
        for _ in range(PATIENCE):
            if not Research.objects.exclude(state__in=ENDED).exists():
                return
            self._fair_round()
        raise AssertionError(f"never ended: {list(Research.objects.values('id', 'state', 'message'))}")

    def _fair_round(self) -> None:
        """A minute in which everybody does what it should."""
        if not self.leaders.all:
            self.leaders.somebody_wants_to_lead()
        self.leaders.renews(self.leaders.all[-1])
        self.leaders.steps(self.leaders.all[-1])
        while self.doorbells:
            process = self.answer(0, keep=False)
            if not process.gone:
                process.works()
                process.ends()
        for agent in list(self.agents):
            agent.call()
            for task in agent.tasks.values():
                if task.state == "running":
                    task.state = "completed"
                if task.state == "completed":
                    agent.uploads(task)
            if agent.tasks:
                agent.call()
        self.forget_refused()
        self.look()
        self.pass_time(61)
