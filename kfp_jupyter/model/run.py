"""A run: its state, the events that change it, and the pure function from one to the next.

Every engine tells what happens as events; `apply` folds them into a `RunState`; screens, history and the
Python API read that state and nothing else. States are KFP's v2 run states
(https://www.kubeflow.org/docs/components/pipelines/reference/api/kubeflow-pipeline-api-spec/); a cache hit is
SUCCEEDED with `cached`, an interrupted run is FAILED with a reason, a task whose condition did not hold is
SKIPPED with the condition as its message. Times are seconds since the epoch.

The points of a step curve come one by one while the task runs, and all together in its metrics artifact when
it has ended; so a curve is whole however many of the former were missed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TypeAlias

from kfp_jupyter.model.revised import revised
from kfp_jupyter.model.types import Json
from kfp_jupyter.model.usage import Usage

CURVES = "metricCurves"
"""The key of step curves in the metadata of a metrics artifact, as the executor writes it."""


GROUP_FAILED = "TaskFailed"
"""The reason of a group, or of a run, that failed because a task in it did; that task says more."""


class State(str, Enum):
    """The state of a run or of one of its tasks."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    SKIPPED = "SKIPPED"
    FAILED = "FAILED"
    CANCELING = "CANCELING"
    CANCELED = "CANCELED"
    PAUSED = "PAUSED"

    @property
    def finished(self) -> bool:
        """True if nothing more happens in this state."""
        return self in (State.SUCCEEDED, State.SKIPPED, State.FAILED, State.CANCELED)


@dataclass(frozen=True, slots=True)
class Target:
    """Where a run runs.

    Attributes:
        kind: The engine: `local`, `argo` or `kfp`.
        name: The kubeconfig context or server; empty for the engine's default.
        namespace: The Kubernetes namespace; empty for the context's own.
    """

    kind: str = "local"
    name: str = ""
    namespace: str = ""

    def __str__(self) -> str:
        """Return the spelling that `--target` takes: `local`, `argo:my-context`, `argo:my-context/team-a`."""
        place = f":{self.name}" if self.name else ""
        return f"{self.kind}{place}" + (f"/{self.namespace}" if self.namespace else "")


@dataclass(frozen=True, slots=True)
class RunRef:
    """All that is needed to find a run again.

    Attributes:
        run_id: Our id of the run.
        target: Where it runs.
        location: The engine's own handle: a folder, or `namespace/workflow`.
    """

    run_id: str
    target: Target
    location: str


@dataclass(frozen=True, slots=True)
class TaskError:
    """Why a task failed.

    Attributes:
        type: The exception's class name, or a short reason such as `Timeout`.
        message: The exception's message.
        file: Where in the user's terms: `Cell In[3]` or a path; empty if unknown.
        line: The line in `file`, from 1; 0 if unknown.
        traceback: The traceback in the user's terms, several lines; may be empty.
    """

    type: str
    message: str
    file: str = ""
    line: int = 0
    traceback: str = ""


Curve: TypeAlias = tuple[tuple[float, float], ...]
"""The `(step, value)` points of a step curve, by step."""


@dataclass(frozen=True, slots=True)
class ArtifactRecord:
    """One artifact that a task wrote.

    Attributes:
        type: The schema title, such as `system.Model`.
        uri: Where it is stored.
        path: Its path on this machine, or empty.
        metadata: Its metadata; for metrics the metrics themselves.
    """

    type: str
    uri: str = ""
    path: str = ""
    metadata: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TaskRun:
    """What is known of one task in one run.

    Attributes:
        state: Its state.
        attempt: The attempt under way or last made, from 1; 0 before the first.
        started_at: Start of the (last) attempt, in seconds since the epoch.
        finished_at: Its end.
        cached_from: The id of the run whose result was used; empty if it ran itself.
        reason: A short word for the state, such as `UpstreamFailed`, `Unschedulable`, `Timeout`.
        message: A sentence that explains it.
        error: Why it failed.
        inputs: Its resolved parameters.
        outputs: Its output parameters.
        artifacts: Its output artifacts, by output name; more than one for a list output.
        curves: Step curves logged so far, by name.
        log_tail: The last lines it printed, kept when it finished.
        usage: What its (last) attempt used; None where nothing is known.
    """

    state: State = State.PENDING
    attempt: int = 0
    started_at: float | None = None
    finished_at: float | None = None
    cached_from: str = ""
    reason: str = ""
    message: str = ""
    error: TaskError | None = None
    inputs: Mapping[str, Json] = field(default_factory=dict)
    outputs: Mapping[str, Json] = field(default_factory=dict)
    artifacts: Mapping[str, tuple[ArtifactRecord, ...]] = field(default_factory=dict)
    curves: Mapping[str, Curve] = field(default_factory=dict)
    log_tail: tuple[str, ...] = ()
    usage: Usage | None = None

    @property
    def cached(self) -> bool:
        """True if an earlier run's result was used."""
        return bool(self.cached_from)


@dataclass(frozen=True, slots=True)
class RunState:
    """What is known of one run. `version` grows by one with every event applied.

    `notices` are sentences on what was asked for and is not done where it runs.
    """

    id: str
    pipeline: str
    target: Target
    arguments: Mapping[str, Json]
    state: State
    created_at: float
    started_at: float | None = None
    finished_at: float | None = None
    reason: str = ""
    message: str = ""
    notices: tuple[str, ...] = ()
    tasks: Mapping[str, TaskRun] = field(default_factory=dict)
    version: int = 1


@dataclass(frozen=True, slots=True)
class RunCreated:
    """The first event of a run.

    `tasks` are the paths of all tasks known beforehand, groups in front of what is in them: all but those in
    loops, which `IterationsAdded` adds. See also `RunState`.
    """

    time: float
    run_id: str
    pipeline: str
    target: Target
    arguments: Mapping[str, Json]
    tasks: tuple[str, ...]
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunChanged:
    """The run as a whole entered a state."""

    time: float
    state: State
    reason: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class TaskChanged:
    """A task entered a state, or more became known of the state it is in.

    Fields left empty keep what was known before, except `reason`, `message` and `error`, which belong to the
    state.
    """

    time: float
    task: str
    state: State
    attempt: int = 0
    cached_from: str = ""
    reason: str = ""
    message: str = ""
    error: TaskError | None = None
    inputs: Mapping[str, Json] = field(default_factory=dict)
    outputs: Mapping[str, Json] = field(default_factory=dict)
    artifacts: Mapping[str, tuple[ArtifactRecord, ...]] = field(default_factory=dict)
    log_tail: tuple[str, ...] = ()
    usage: Usage | None = None


@dataclass(frozen=True, slots=True)
class MetricLogged:
    """A running task logged one point of a step curve."""

    time: float
    task: str
    name: str
    step: float
    value: float


@dataclass(frozen=True, slots=True)
class UsageMeasured:
    """A running task was looked at; its end tells once more what it used, and in full."""

    time: float
    task: str
    usage: Usage


@dataclass(frozen=True, slots=True)
class IterationsAdded:
    """A loop has got its items, and with them tasks that were not known before, all of them pending.

    It may be told again with a higher count, by engines that learn of iterations one by one. An iteration is
    no task itself: it is what its tasks are. What the items are stands in the loop's own `TaskRun.inputs`.

    Attributes:
        loop: The path of the loop's task: `for-loop-1`.
        count: How many iterations there are.
        tasks: The paths inside of each, all of them: `train` for `for-loop-1[3]/train`; an empty path where
            the loop runs a single step, which then is `for-loop-1[3]`.
    """

    time: float
    loop: str
    count: int
    tasks: tuple[str, ...]

    def paths(self) -> Iterator[str]:
        """Yield the paths of the tasks that it adds."""
        for index in range(self.count):
            iteration = f"{self.loop}[{index}]"
            for task in self.tasks:
                yield f"{iteration}/{task}" if task else iteration


Event = RunCreated | RunChanged | TaskChanged | MetricLogged | UsageMeasured | IterationsAdded


def apply(state: RunState | None, event: Event) -> RunState:
    """Return the state after the event.

    Applying an event twice gives the same state (but for `version`), so a journal or a watch may be replayed.

    Raises:
        ValueError: The first event is not `RunCreated`.
    """
    if isinstance(event, RunCreated):
        return RunState(
            id=event.run_id,
            pipeline=event.pipeline,
            target=event.target,
            arguments=event.arguments,
            state=State.PENDING,
            created_at=event.time,
            notices=event.notices,
            tasks={path: TaskRun() for path in event.tasks},
        )
    if state is None:
        raise ValueError(f"a run's first event must be RunCreated, not {type(event).__name__}")
    if isinstance(event, RunChanged):
        return _run_changed(state, event)
    if isinstance(event, IterationsAdded):
        # What is known already stays as it is, in its place.
        tasks = {**state.tasks, **{path: TaskRun() for path in event.paths() if path not in state.tasks}}
        return replace(state, tasks=tasks, version=state.version + 1)
    task = state.tasks.get(event.task, TaskRun())
    if isinstance(event, TaskChanged):
        changed = _task_changed(task, event)
    elif isinstance(event, UsageMeasured):
        changed = replace(task, usage=event.usage)
    else:
        changed = _metric_logged(task, event)
    return replace(state, tasks=revised(state.tasks, event.task, changed), version=state.version + 1)


def _run_changed(state: RunState, event: RunChanged) -> RunState:
    begins = event.state is State.RUNNING and state.started_at is None
    return replace(
        state,
        state=event.state,
        reason=event.reason,
        message=event.message,
        started_at=event.time if begins else state.started_at,
        finished_at=event.time if event.state.finished else None,
        version=state.version + 1,
    )


def _task_changed(task: TaskRun, event: TaskChanged) -> TaskRun:
    attempt = event.attempt or task.attempt
    begins = event.state is State.RUNNING and (task.state is not State.RUNNING or attempt != task.attempt)
    return replace(
        task,
        state=event.state,
        attempt=attempt,
        started_at=event.time if begins else task.started_at,
        finished_at=event.time if event.state.finished else None,
        cached_from=event.cached_from or task.cached_from,
        reason=event.reason,
        message=event.message,
        error=event.error,
        inputs=event.inputs or task.inputs,
        outputs=event.outputs or task.outputs,
        artifacts=event.artifacts or task.artifacts,
        curves=_completed(task.curves, event.artifacts),
        log_tail=event.log_tail or task.log_tail,
        usage=event.usage or (None if begins else task.usage),
    )


def _completed(
    curves: Mapping[str, Curve], artifacts: Mapping[str, tuple[ArtifactRecord, ...]]
) -> Mapping[str, Curve]:
    """Return the curves with the points in the metadata of artifacts that were not told one by one."""
    for record in (record for records in artifacts.values() for record in records):
        held = record.metadata.get(CURVES)
        for name, points in held.items() if isinstance(held, Mapping) else ():
            logged = dict(filter(_is_point, points if isinstance(points, list) else ()))
            known = dict(curves.get(name, ()))
            if not logged.keys() <= known.keys():
                curves = {**curves, name: tuple(sorted({**logged, **known}.items()))}
    return curves


def _is_point(point: Json) -> bool:
    """Say whether it is a step and a value to draw: NaN and infinity, written as words, are not."""
    pair = isinstance(point, list) and len(point) == 2
    return pair and all(isinstance(held, (int, float)) for held in point)


def _metric_logged(task: TaskRun, event: MetricLogged) -> TaskRun:
    held = task.curves.get(event.name, ())
    if not held or event.step > held[-1][0]:
        # The usual case is the cheap one: a curve of thousands of points grows at its end.
        points = (*held, (event.step, event.value))
    else:
        points = tuple(sorted({**dict(held), event.step: event.value}.items()))
    return replace(task, curves={**task.curves, event.name: points})
