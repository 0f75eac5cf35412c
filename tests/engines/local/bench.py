"""Small pipelines from source texts, and runs of them on this machine."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event as Stop
from typing import Any

from kfp_jupyter.engines.base import LocalOptions, RunOptions, RunRef
from kfp_jupyter.engines.local import LocalEngine
from kfp_jupyter.model.component import (
    Component,
    Fragment,
    InputSpec,
    OutputSpec,
    PythonStep,
    Source,
)
from kfp_jupyter.model.pipeline import Constant, Graph, Pipeline, Task, TaskOutput, TaskSettings, Value
from kfp_jupyter.model.run import Event, RunState, Target, apply
from kfp_jupyter.model.types import ArtifactType, ParameterType, ValueType

HEADER = "from kfp_jupyter.dsl import *\nfrom typing import *\nimport os, signal, subprocess, sys, time\n"

TYPES: dict[str, ValueType] = {
    "int": ParameterType.INTEGER,
    "float": ParameterType.DOUBLE,
    "str": ParameterType.STRING,
    "bool": ParameterType.BOOLEAN,
    "list": ParameterType.LIST,
    "dict": ParameterType.STRUCT,
}

NO_CACHE = TaskSettings(caching=False)


def value_type(name: str) -> ValueType:
    """Return the type of a name such as `int`, `Model`, `List[Model]`."""
    if name in TYPES:
        return TYPES[name]
    inner = name.removeprefix("List[").removesuffix("]")
    return ArtifactType(f"system.{inner}", is_list=name != inner)


def component(
    body: str,
    name: str = "step",
    inputs: dict[str, str] | None = None,
    outputs: dict[str, str] | None = None,
    packages: tuple[str, ...] = (),
) -> Component:
    """Return a component of the function `name`, which stands in a cell [2] under a header in cell [1]."""
    source = Source(
        (Fragment(HEADER, "Cell In[1]"), Fragment(textwrap.dedent(body).lstrip("\n"), "Cell In[2]", 2))
    )
    return Component(
        name.replace("_", "-"),
        tuple(InputSpec(key, value_type(kind), optional=True) for key, kind in (inputs or {}).items()),
        tuple(OutputSpec(key, value_type(kind)) for key, kind in (outputs or {}).items()),
        PythonStep(source, name, "python:3.11", packages),
    )


def task(
    name: str,
    component_: str | None = None,
    *,
    after: tuple[str, ...] = (),
    settings: TaskSettings = NO_CACHE,
    **arguments: Any,
) -> Task:
    """Return a task; `("train", "model")` is an output, anything else that is no value is a constant."""
    values: dict[str, Value] = {}
    for key, given in arguments.items():
        if isinstance(given, tuple):
            values[key] = TaskOutput(*given)
        else:
            values[key] = given if isinstance(given, Value) else Constant(given)
    return Task(name, component_ or name, values, after, settings)


def pipeline(components: dict[str, Component], *tasks: Task, inputs: tuple[InputSpec, ...] = ()) -> Pipeline:
    """Return a pipeline of tasks; components stand under their keys."""
    return Pipeline("test", inputs, (), components, Graph({held.name: held for held in tasks}))


def single(body: str, settings: TaskSettings = NO_CACHE, **more: Any) -> Pipeline:
    """Return a pipeline with one task `step` of a function `step`."""
    return pipeline({"step": component(body, **more)}, task("step", settings=settings))


@dataclass
class Run:
    """A run under way."""

    engine: LocalEngine
    ref: RunRef
    events: list[Event] = field(default_factory=list)
    state: RunState | None = None

    @property
    def folder(self) -> Path:
        return Path(self.ref.location)

    def wait(self, seconds: float = 300) -> RunState:
        """Follow the run to its end."""
        for _ in self.follow(seconds):
            pass
        assert self.state is not None
        return self.state

    def until(self, condition: Callable[[RunState], bool], seconds: float = 300) -> RunState:
        """Follow the run until its state fulfils a condition."""
        for state in self.follow(seconds):
            if condition(state):
                return state
        raise AssertionError(f"the run ended first: {self.state}")

    def follow(self, seconds: float) -> Iterator[RunState]:
        deadline = time.monotonic() + seconds
        stop = Deadline(deadline)
        self.state, self.events = None, []
        for event in self.engine.events(self.ref, stop):
            self.events.append(event)
            self.state = apply(self.state, event)
            yield self.state
        assert self.state is not None
        assert self.state.state.finished, f"not ended after {seconds} s: {self.state}"

    def log(self, task_: str = "step", *, follow: bool = False) -> list[str]:
        return list(self.engine.logs(self.ref, task_, Deadline(time.monotonic() + 300), follow=follow))


class Deadline(Stop):
    """A stop that is set when its time has come."""

    def __init__(self, deadline: float) -> None:
        super().__init__()
        self._deadline = deadline

    def wait(self, timeout: float | None = None) -> bool:
        return super().wait(timeout) or time.monotonic() > self._deadline


class Bench:
    """Starts runs."""

    def __init__(self) -> None:
        self.engine = LocalEngine()
        self.count = 0

    def start(
        self,
        pipeline_: Pipeline,
        *,
        jobs: int = 4,
        caching: bool = True,
        local: LocalOptions = LocalOptions(),  # noqa: B008 - it is frozen
        **arguments: Any,
    ) -> Run:
        self.count += 1
        options = RunOptions(f"run-{self.count}", Target(), caching=caching, jobs=jobs, local=local)
        return Run(self.engine, self.engine.submit(pipeline_, arguments, options))

    def ref(self, folder: Path) -> RunRef:
        """Return the reference of a run by its folder."""
        return RunRef(folder.name, Target(), str(folder))

    def run(self, pipeline_: Pipeline, **more: Any) -> Run:
        run = self.start(pipeline_, **more)
        run.wait()
        return run


def gone(pid: int) -> bool:
    """Say whether a process is gone; one that only waits to be reaped is."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except FileNotFoundError:
        return True


def eventually(condition: Callable[[], bool], seconds: float = 120) -> bool:
    """Say whether a condition comes true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
