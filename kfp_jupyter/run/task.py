"""One task of a run, as `run.tasks["train"]` gives it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from kfp_jupyter.errors import KfpJupyterError
from kfp_jupyter.executor.markers import parse
from kfp_jupyter.model.pipeline import Pipeline
from kfp_jupyter.model.run import State, TaskError, TaskRun
from kfp_jupyter.model.types import ArtifactType, Json
from kfp_jupyter.model.usage import Usage
from kfp_jupyter.run.artifact import Fetch, RunArtifact
from kfp_jupyter.runs.metrics import task_metrics

V_co = TypeVar("V_co", covariant=True)


class NoSuchNameError(KfpJupyterError, KeyError):
    """A run has no task, or a task no output, of that name."""


class Named(Mapping[str, V_co]):
    """A mapping whose error for an unknown name says which there are.

    Args:
        held: The values.
        what: What they are, in the plural: `outputs`.
        where: Whose they are: `task train`.
        elsewhere: Where else a name may be found: `{name: how to get it}`.
    """

    def __init__(self, held: Mapping[str, V_co], what: str, where: str, elsewhere: Mapping[str, str]) -> None:
        self._held = held
        self._what = what
        self._where = where
        self._elsewhere = elsewhere

    def __getitem__(self, name: str) -> V_co:
        if name in self._held:
            return self._held[name]
        from kfp_jupyter.model.check import unknown_name

        remedy = self._elsewhere.get(name) or unknown_name(self._what, name, self._held)
        raise NoSuchNameError(
            f"There is no {name!r} among its {self._what}.", where=self._where, remedy=remedy
        )

    def __iter__(self) -> Iterator[str]:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)

    def __repr__(self) -> str:
        return repr(dict(self._held))


class RunTask:
    """One task of a run; always as it is at the moment of asking.

    Args:
        name: Its path in the run.
        pipeline: The pipeline it is part of.
        record: Gives what is known of it.
        log_lines: Gets the lines it printed.
        fetch: Gives the places of its artifacts on this machine.
    """

    def __init__(
        self,
        name: str,
        pipeline: Pipeline,
        record: Callable[[], TaskRun],
        log_lines: Callable[[], list[str]],
        fetch: Fetch,
    ) -> None:
        self.name = name
        self._pipeline = pipeline
        self._record = record
        self._log_lines = log_lines
        self._fetch = fetch

    @property
    def status(self) -> TaskRun:
        """All that is known of it at this moment."""
        return self._record()

    @property
    def state(self) -> State:
        """Its state, one of KFP's names; it compares equal to the name: `task.state == "SUCCEEDED"`."""
        return self.status.state

    @property
    def attempt(self) -> int:
        """The attempt under way or last made, from 1; 0 before the first."""
        return self.status.attempt

    @property
    def started_at(self) -> float | None:
        """When the last attempt started, in seconds since the epoch."""
        return self.status.started_at

    @property
    def finished_at(self) -> float | None:
        """When it ended, in seconds since the epoch."""
        return self.status.finished_at

    @property
    def duration(self) -> float | None:
        """How long the last attempt took, or has taken up to now, in seconds; None if it has not started."""
        held = self.status
        if held.started_at is None:
            return None
        return (held.finished_at or time.time()) - held.started_at

    @property
    def cached(self) -> bool:
        """True if an earlier run's result was used."""
        return self.status.cached

    @property
    def reason(self) -> str:
        """A short word for the state, such as `UpstreamFailed`; often empty."""
        return self.status.reason

    @property
    def message(self) -> str:
        """A sentence that explains the state; often empty."""
        return self.status.message

    @property
    def error(self) -> TaskError | None:
        """Why it failed: `.type`, `.message`, `.file`, `.line` and `.traceback`."""
        return self.status.error

    @property
    def usage(self) -> Usage | None:
        """What its last attempt used: `.cpu_seconds`, and `.memory_bytes` at its peak; None if unknown."""
        return self.status.usage

    @property
    def inputs(self) -> Mapping[str, Json]:
        """Its parameters, by name."""
        return Named(self.status.inputs, "inputs", self._where, {})

    @property
    def outputs(self) -> Mapping[str, Json]:
        """Its output parameters, by name."""
        held = self.status
        ways = {name: f"It is an artifact: `.artifacts[{name!r}]`." for name in held.artifacts}
        return Named(held.outputs, "outputs", self._where, ways)

    @property
    def artifacts(self) -> Mapping[str, RunArtifact | tuple[RunArtifact, ...]]:
        """Its output artifacts by name, with `.path`, `.uri`, `.type` and `.metadata`; a tuple for a list.

        What lies in a cluster's store is brought when its `.path` is asked for.
        """
        held = self.status
        ways = {name: f"It is a parameter: `.outputs[{name!r}]`." for name in held.outputs}
        made = {
            name: tuple(RunArtifact(record, self._fetch) for record in records)
            for name, records in held.artifacts.items()
        }
        one = {
            name: every if self._is_list(name) or len(every) != 1 else every[0]
            for name, every in made.items()
        }
        return Named(one, "artifacts", self._where, ways)

    @property
    def metrics(self) -> dict[str, float]:
        """Its scalar metrics, by name."""
        return task_metrics(self.status)

    def logs(self) -> str:
        """Return what it has printed so far, all attempts.

        Raises:
            EngineError: The log is not there any more.
        """
        shown = (parse(line)[0] for line in self._log_lines())
        return "".join(f"{line}\n" for line in shown if line is not None)

    @property
    def _where(self) -> str:
        return f"task {self.name}"

    def _is_list(self, output: str) -> bool:
        task = self._pipeline.graph.tasks.get(self.name)
        spec = self._pipeline.component_of(task).output(output) if task else None
        return spec is not None and isinstance(spec.type, ArtifactType) and spec.type.is_list

    def __repr__(self) -> str:
        """Return one line: the name, the state, and how long it took."""
        took = f" in {self.duration:.1f} s" if self.duration is not None else ""
        return f"<Task {self.name}: {self.state.value}{took}>"


class Tasks(Mapping[str, RunTask]):
    """The tasks of a run by name, in the pipeline's order.

    Args:
        paths: Their paths.
        task: Makes the handle of one.
        names: Gives what people read for each path: `train #2 · rate 0.3`.
    """

    def __init__(
        self,
        paths: tuple[str, ...],
        task: Callable[[str], RunTask],
        names: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        self._paths = paths
        self._task = task
        self._names = names

    def __getitem__(self, name: str) -> RunTask:
        for path in (name, name.replace("_", "-")):
            if path in self._paths:
                return self._task(path)
        for path, shown in self._names().items():
            if path in self._paths and name in (shown, shown.split(" · ")[0]):
                return self._task(path)
        from kfp_jupyter.model.check import unknown_name

        raise NoSuchNameError(
            f"There is no task {name!r} in the run.", remedy=unknown_name("tasks", name, self._paths)
        )

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)

    def __repr__(self) -> str:
        return "{" + ", ".join(f"{path}: {self._task(path).state.value}" for path in self._paths) + "}"
