"""What is under way at one level of a run: a graph with its tasks, and a group with its iterations.

A `Scope` is one run of a graph: of the pipeline itself, of the body of a group, of one iteration of a loop. A
`Group` is a task that runs others: its body once, or once for each item of a loop. They hold what is known;
`flow` moves it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from kfp_jupyter.engines.local.exchange import Given, Product
from kfp_jupyter.engines.local.placeholder import RunFacts
from kfp_jupyter.engines.local.schedule import Links, Schedule
from kfp_jupyter.model.component import Component
from kfp_jupyter.model.graph import Graph, Task
from kfp_jupyter.model.run import State
from kfp_jupyter.model.settings import Retry
from kfp_jupyter.model.types import ArtifactType, Json


@dataclass(frozen=True, slots=True)
class End:
    """How a task or an iteration ended.

    Attributes:
        state: SUCCEEDED, FAILED, SKIPPED or CANCELED.
        reason: A short word for it, as in `TaskRun`.
        message: What is said of it.
        blame: The path of the task for which it did not succeed: the innermost that failed or was skipped.
    """

    state: State
    reason: str = ""
    message: str = ""
    blame: str = ""

    @property
    def succeeded(self) -> bool:
        """True if what waits for it may run."""
        return self.state is State.SUCCEEDED


DONE = End(State.SUCCEEDED)


@dataclass(slots=True)
class Scope:
    """One run of a graph.

    Attributes:
        graph: The graph.
        links: Those of the graph.
        path: What stands before the paths of its tasks: `inner`, `for-loop-1[3]`; empty for the pipeline.
        given: What it gets.
        facts: What placeholders say of the run.
        arguments: The arguments of the run.
        group: The group that runs it; None for the pipeline.
        index: Which iteration of the group it is.
        spared: Whether it goes on when the run is canceled.
        schedule: What is due.
        begun: Its tasks that were started, or are about to be.
        products: What its tasks have put out.
        ends: How its tasks have ended.
        groups: The groups in it that are under way.
        trouble: The first end of a task that failed or, without one, was canceled.
    """

    graph: Graph
    links: Links
    path: str
    given: Given
    facts: RunFacts
    arguments: Mapping[str, Json]
    group: Group | None = None
    index: int = 0
    spared: bool = False
    schedule: Schedule = field(init=False)
    begun: set[str] = field(default_factory=set)
    products: dict[str, Product] = field(default_factory=dict)
    ends: dict[str, End] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    trouble: End | None = None

    def __post_init__(self) -> None:
        """Begin with nothing done."""
        self.schedule = Schedule(self.links)

    def path_of(self, name: str) -> str:
        """Return the path of a task."""
        return f"{self.path}/{name}" if self.path else name

    def groups_around(self) -> Iterator[Group]:
        """Yield the groups that it is in, the nearest first."""
        group = self.group
        while group is not None:
            yield group
            group = group.scope.group

    @property
    def retry(self) -> Retry | None:
        """How its tasks are tried again that do not say so themselves: as the nearest group around says.

        KFP's servers do not run a nested pipeline again as a whole; its steps inherit its policy.
        """
        policies = (group.task.settings.retry for group in self.groups_around())
        return next((retry for retry in policies if retry is not None), None)

    def final_status(self, task: str) -> Json:
        """Return how a task ended, as KFP's `PipelineTaskFinalStatus` in JSON."""
        end = self.ends[task]
        status: dict[str, Json] = {
            # KFP's word for it in this place, unlike in the state of a run.
            "state": "CANCELLED" if end.state is State.CANCELED else end.state.value,
            "pipelineJobResourceName": self.facts.job,
            "pipelineTaskName": task,
        }
        if end.state is State.FAILED:
            status["error"] = {"code": 1, "message": end.message}
        return status


@dataclass(slots=True)
class Group:
    """A task that runs others.

    Attributes:
        scope: The scope that it stands in.
        name: Its name there.
        path: Its path.
        task: The task.
        component: Its component.
        given: What each of its iterations gets, besides the item.
        items: The items of a loop; None if it is no loop.
        spared: Whether it goes on when the run is canceled.
        begun: How many iterations were started.
        running: Those under way by number: the scope, or None for one that is a single step.
        products: What the iterations have put out.
        ended: How many have ended.
        trouble: See `Scope`.
        late: Whether it was asked to end because it took too long.
    """

    scope: Scope
    name: str
    path: str
    task: Task
    component: Component
    given: Given
    items: list[Json] | None
    spared: bool
    begun: int = 0
    running: dict[int, Scope | None] = field(default_factory=dict)
    products: dict[int, Product] = field(default_factory=dict)
    ended: int = 0
    trouble: End | None = None
    late: bool = False

    @property
    def is_open(self) -> bool:
        """Whether it is under way."""
        return self.scope.groups.get(self.name) is self

    @property
    def count(self) -> int:
        """How many iterations there are."""
        return 1 if self.items is None else len(self.items)

    @property
    def has_room(self) -> bool:
        """Whether another iteration may start."""
        most = self.task.loop.parallelism if self.task.loop else 0
        return self.begun < self.count and (most == 0 or len(self.running) < most)

    def path_of(self, index: int) -> str:
        """Return the path of an iteration."""
        return self.path if self.items is None else f"{self.path}[{index}]"

    @property
    def end(self) -> End:
        """How it ends, once all in it has ended."""
        end = self.trouble or DONE
        if self.late and end.state is State.CANCELED:
            limit = self.task.settings.timeout_seconds
            return End(State.FAILED, "Timeout", f"It took longer than {limit:g} s.", self.path)
        return end

    def product(self) -> Product:
        """Return what it puts out: what its body did, or the lists of what iterations did, in their order.

        An iteration that has put out nothing (what it comes from was skipped) has no place in the list.
        Parameters of loops in loops are lists of lists; lists of artifacts are joined, since KFP has no
        others.
        """
        if self.items is None:
            return self.products.get(0, Product())
        each = [self.products[index] for index in sorted(self.products)]
        parameters: dict[str, Json] = {}
        artifacts: dict[str, list[Json]] = {}
        digests: dict[str, list[str]] = {}
        for spec in self.component.outputs:
            name = spec.name
            if isinstance(spec.type, ArtifactType):
                artifacts[name] = [held for product in each for held in product.artifacts.get(name, ())]
                digests[name] = [held for product in each for held in product.digests.get(name, ())]
            else:
                parameters[name] = [
                    product.parameters[name] for product in each if name in product.parameters
                ]
        return Product(parameters, artifacts, digests)


def worse(before: End | None, end: End) -> End | None:
    """Return the end that speaks for all: the first failure, or else that something was canceled."""
    if end.state is State.FAILED and (before is None or before.state is not State.FAILED):
        return end
    return before or (end if end.state is State.CANCELED else None)
