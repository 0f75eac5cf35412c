"""A task while its pipeline is being written: its outputs, what it waits for, and its settings.

Methods carry KFP's names and check what they are given at once, naming the line that gave it.
Reference: https://kubeflow-pipelines.readthedocs.io/en/stable/source/dsl.html#kfp.dsl.PipelineTask
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn

from kfp_jupyter.cells import quantity
from kfp_jupyter.cells.origin import caller, place_line
from kfp_jupyter.dsl.pipeline_channel import PipelineChannel
from kfp_jupyter.model.check import suggestion, unknown_name
from kfp_jupyter.model.component import Component
from kfp_jupyter.model.pipeline import PipelineError, Retry, Task, TaskOutput, TaskSettings, Value

if TYPE_CHECKING:
    from kfp_jupyter.dsl.pipeline_builder import PipelineBuilder


class OutputError(PipelineError):
    """An output was asked for that a task does not have."""


class TaskAttributeError(PipelineError, AttributeError):
    """A task has no attribute or method of that name."""


class SettingError(PipelineError):
    """A task was given a setting that cannot be."""


class TaskOutputs(Mapping[str, PipelineChannel]):
    """The outputs of a task by name."""

    def __init__(self, task: PipelineTask) -> None:
        self._task = task

    def __getitem__(self, name: str) -> PipelineChannel:
        task = self._task
        spec = task.component.output(name)
        if spec is None:
            raise OutputError(
                f"Task {task.name!r} has no output {name!r}.",
                where=task.place(),
                remedy=unknown_name("outputs", str(name), self),
            )
        return PipelineChannel(TaskOutput(task.name, spec.name), spec.type, task.builder)

    def __iter__(self) -> Iterator[str]:
        return (spec.name for spec in self._task.component.outputs)

    def __len__(self) -> int:
        return len(self._task.component.outputs)

    def __contains__(self, name: object) -> bool:
        return any(spec.name == name for spec in self._task.component.outputs)


class PipelineTask:
    """A task in the pipeline that is being written; made by calling a component.

    Attributes:
        name: Its name, unique in the pipeline.
        component: What it runs.
        settings: Its settings so far.
        origin: The file name and line of the call that made it.
        builder: The pipeline that it belongs to.
    """

    def __init__(
        self,
        name: str,
        key: str,
        component: Component,
        arguments: Mapping[str, Value],
        settings: TaskSettings,
        builder: PipelineBuilder,
        origin: tuple[str, int],
    ) -> None:
        self.name = name
        self.component = component
        self.settings = settings
        self.builder = builder
        self.origin = origin
        self._key = key
        self._arguments = arguments
        self._after: dict[str, None] = {}

    def __repr__(self) -> str:
        return f"<task {self.name!r}>"

    def __getattr__(self, name: str) -> NoReturn:
        """Refuse what a task does not have; an output is often taken for an attribute."""
        if name.startswith("_"):
            # Asked by Python and IPython themselves, also of a task that is only half made.
            raise AttributeError(name)
        outputs = list(self.outputs)
        remedy = suggestion(name, dir(type(self))).strip()
        if name in outputs:
            remedy = f"Its output is `.outputs[{name!r}]`."
        elif not remedy and outputs:
            listed = ", ".join(f"`.outputs[{output!r}]`" for output in outputs)
            remedy = "Its output is `.output`." if len(outputs) == 1 else f"Its outputs are {listed}."
        raise TaskAttributeError(
            f"Task {self.name!r} has no attribute {name!r}.", where=self.place(), remedy=remedy
        )

    def place(self, origin: tuple[str, int] | None = None) -> str:
        """Return the task for a message, with a line of code; by default the line that is running."""
        line = place_line(*(origin or caller()))
        return f"{line}, task {self.name}" if line else f"task {self.name}"

    def model(self) -> Task:
        """Return the task as it stands in the pipeline."""
        return Task(self.name, self._key, self._arguments, tuple(self._after), self.settings)

    @property
    def outputs(self) -> TaskOutputs:
        """Its outputs by name."""
        return TaskOutputs(self)

    @property
    def output(self) -> PipelineChannel:
        """Its only output."""
        names = list(self.outputs)
        if len(names) != 1:
            listed = ", ".join(f"`.outputs[{name!r}]`" for name in names)
            what = (
                f"Task {self.name!r} has {len(names)} outputs, so `.output` could mean any."
                if names
                else f"Task {self.name!r} has no output."
            )
            remedy = f"Use {listed}." if names else "To wait for it, give it to another task's `.after`."
            raise OutputError(what, where=self.place(), remedy=remedy)
        return self.outputs[names[0]]

    def after(self, *tasks: PipelineTask) -> PipelineTask:
        """Wait for these tasks to have succeeded, without using their outputs."""
        given: tuple[object, ...] = tasks
        for task in given:
            if not isinstance(task, PipelineTask) or task.builder is not self.builder:
                raise SettingError(
                    f"`.after` takes tasks of the same pipeline, not {task!r}.",
                    where=self.place(),
                    remedy="Give it what calling a component in this pipeline returned.",
                )
            self._after[task.name] = None
            self.builder.waits.append((self.name, task.name, caller()))
        return self

    def set_caching_options(self, enable_caching: bool = True, cache_key: str | None = None) -> PipelineTask:
        """Say whether an earlier result with the same inputs may be used, and under which key it is kept."""
        return self._set(caching=bool(enable_caching), cache_key=cache_key or "")

    def set_cpu_request(self, cpu: str) -> PipelineTask:
        """Ask for that much CPU: cores, or thousandths (`2`, `0.5`, `500m`)."""
        return self._set_resource("cpu_request", quantity.cpu, cpu)

    def set_cpu_limit(self, cpu: str) -> PipelineTask:
        """Allow at most that much CPU."""
        return self._set_resource("cpu_limit", quantity.cpu, cpu)

    def set_memory_request(self, memory: str) -> PipelineTask:
        """Ask for that much memory: bytes, or with a unit (`512Mi`, `4Gi`)."""
        return self._set_resource("memory_request", quantity.memory, memory)

    def set_memory_limit(self, memory: str) -> PipelineTask:
        """Allow at most that much memory."""
        return self._set_resource("memory_limit", quantity.memory, memory)

    def set_accelerator_type(self, accelerator: str) -> PipelineTask:
        """Ask for accelerators of a type (`nvidia.com/gpu`); one, unless the limit says another number."""
        self._set_resource("accelerator_type", str.strip, accelerator)
        if not self.settings.resources.accelerator_count:
            self._set_resource("accelerator_count", quantity.count, 1)
        return self

    def set_accelerator_limit(self, limit: int | str) -> PipelineTask:
        """Ask for that many accelerators."""
        return self._set_resource("accelerator_count", quantity.count, limit)

    def set_gpu_limit(self, gpu: str) -> PipelineTask:
        """Ask for that many accelerators, under KFP's older name."""
        return self.set_accelerator_limit(gpu)

    def set_retry(
        self,
        num_retries: int,
        backoff_duration: str | None = None,
        backoff_factor: float | None = None,
        backoff_max_duration: str | None = None,
    ) -> PipelineTask:
        """Try again after a failure.

        Args:
            num_retries: How many further attempts.
            backoff_duration: The wait before the first (`30s`, `2m`); none by default.
            backoff_factor: What each wait is multiplied with for the next; 2 by default.
            backoff_max_duration: The longest wait; an hour by default.
        """
        retries = int(self._checked(quantity.count, num_retries))
        factor = 2.0 if backoff_factor is None else self._checked(quantity.factor, backoff_factor)
        wait = self._checked(quantity.seconds, backoff_duration or "0s")
        longest = self._checked(quantity.seconds, backoff_max_duration or "3600s")
        return self._set(retry=Retry(retries, wait, factor, longest))

    def set_timeout(self, seconds: float | str) -> PipelineTask:
        """Stop an attempt that takes longer: seconds, or with a unit (`30m`); 0 means no limit."""
        return self._set(timeout_seconds=self._checked(quantity.seconds, seconds))

    def set_env_variable(self, name: str, value: str) -> PipelineTask:
        """Set an environment variable."""
        if not re.fullmatch(r"[-._a-zA-Z][-._a-zA-Z0-9]*", self._text(name)):
            raise self._wrong(f"{name!r} is no name of an environment variable; use letters, digits and _")
        return self._set(env=tuple({**dict(self.settings.env), name: self._text(value)}.items()))

    def set_display_name(self, name: str) -> PipelineTask:
        """Set the name that people see."""
        return self._set(display_name=self._text(name))

    def set_container_image(self, name: str) -> PipelineTask:
        """Run in this image instead of the component's."""
        return self._set(image=self._text(name))

    def _set(self, **settings: Any) -> PipelineTask:
        self.settings = replace(self.settings, **settings)
        return self

    def _set_resource(self, field: str, check: Callable[[Any], str], value: Any) -> PipelineTask:
        resources = replace(self.settings.resources, **{field: self._checked(check, value)})
        return self._set(resources=resources)

    def _checked(self, check: Callable[[Any], Any], value: Any) -> Any:
        if isinstance(value, PipelineChannel):
            raise self._wrong(f"a setting that comes from {value!r} is not supported yet; write a constant")
        try:
            return check(value)
        except ValueError as error:
            raise self._wrong(str(error)) from None
        except TypeError:
            raise self._wrong(f"{value!r} is of type {type(value).__name__}; write a text") from None

    def _text(self, value: Any) -> str:
        text: str = self._checked(str.__str__, value)
        return text

    def _wrong(self, what: str) -> SettingError:
        what, _, remedy = what.partition("; ")
        return SettingError(
            f"{what[0].upper()}{what[1:]}.",
            where=self.place(),
            remedy=f"{remedy[0].upper()}{remedy[1:]}." if remedy else "",
        )
