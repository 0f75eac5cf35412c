"""A task while its pipeline is being written: its outputs, what it waits for, and its settings.

Methods carry KFP's names and check what they are given at once, naming the line that gave it. Where KFP
allows a value that is known only in the run, the setting holds a placeholder, and the value is an argument of
the task.
Reference: https://kubeflow-pipelines.readthedocs.io/en/stable/source/dsl.html#kfp.dsl.PipelineTask
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NoReturn

from kfp_jupyter.cells import quantity
from kfp_jupyter.cells.origin import caller, place_line
from kfp_jupyter.dsl.pipeline_channel import PipelineChannel, marks
from kfp_jupyter.dsl.task_itself import TaskItself
from kfp_jupyter.dsl.task_outputs import OutputError, TaskOutputs
from kfp_jupyter.dsl.task_state import TaskState
from kfp_jupyter.dsl.tasks_group import ExitHandler, TasksGroup
from kfp_jupyter.model.check import suggestion
from kfp_jupyter.model.component import Component, ContainerStep, PythonStep
from kfp_jupyter.model.pipeline import (
    Constant,
    Pipeline,
    PipelineError,
    Retry,
    TaskSettings,
    Trigger,
    TriggerStrategy,
)
from kfp_jupyter.model.types import Json

if TYPE_CHECKING:
    from kfp_jupyter.dsl.pipeline_builder import PipelineBuilder


class TaskAttributeError(PipelineError, AttributeError):
    """A task has no attribute or method of that name."""


class SettingError(PipelineError):
    """A task was given a setting that cannot be."""


class PipelineTask(TaskItself):
    """A task in the pipeline that is being written; made by calling a component.

    Attributes:
        name: Its name, unique in the pipeline.
        component: What it runs.
        pipeline: The pipeline that the component is, if it is one.
        arguments: The channels and constants it was given, by input.
        mentioned: The channels that stand inside its constants and settings.
        followed: Those of them that it waits for though only a setting takes them.
        settings: Its settings so far.
        trigger: When it runs.
        origin: The file name and line of the call that made it.
        builder: The pipeline that it belongs to.
        group: The group that it belongs to; None for an exit task.
        awaited: What it was told to wait for.
        state: `FUTURE`; a task that has run (`kfp_jupyter.local`) is `FINAL`.
    """

    state = TaskState.FUTURE

    def __init__(
        self,
        name: str,
        component: Component,
        arguments: dict[str, PipelineChannel | Constant],
        settings: TaskSettings,
        builder: PipelineBuilder,
        origin: tuple[str, int],
        pipeline: Pipeline | None = None,
    ) -> None:
        self.name = name
        self.component = component
        self.pipeline = pipeline
        self.arguments = arguments
        self.mentioned: list[PipelineChannel] = []
        self.followed: list[PipelineChannel] = []
        self.settings = settings
        self.trigger = Trigger()
        self.builder = builder
        self.origin = origin
        self.group: TasksGroup | None = None
        self.awaited: list[PipelineTask | ExitHandler] = []

    def __repr__(self) -> str:
        return f"<task {self.name!r}>"

    def __getattr__(self, name: str) -> NoReturn:
        """Refuse what a task does not have; an output is often taken for an attribute."""
        if name.startswith("_"):
            # Asked by Python and IPython themselves, also of a task that is only half made.
            raise AttributeError(name)
        outputs = list(self.outputs)
        close = get_close_matches(name, outputs, 1)
        remedy = suggestion(name, [held for held in dir(type(self)) if not held.startswith("_")]).strip()
        if close:
            remedy = f"Its output is `.outputs[{close[0]!r}]`."
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

    @property
    def waits(self) -> bool:
        """Whether it waits for another task, or uses an output of one."""
        channels = [*self.arguments.values(), *self.mentioned]
        return bool(self.awaited) or any(
            isinstance(channel, PipelineChannel) and any(channel.producers) for channel in channels
        )

    @property
    def inputs(self) -> dict[str, Any]:
        """What it was given: channels, and plain values."""
        return {
            name: given.value if isinstance(given, Constant) else given
            for name, given in self.arguments.items()
        }

    @property
    def dependent_tasks(self) -> list[str]:
        """The names of what it was told to wait for."""
        return [other.name for other in self.awaited]

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

    def after(self, *tasks: PipelineTask | ExitHandler) -> PipelineTask:
        """Wait for these tasks, or for all of an exit handler's, to have succeeded."""
        given: tuple[object, ...] = tasks
        for task in given:
            if not isinstance(task, (PipelineTask, ExitHandler)) or task.builder is not self.builder:
                raise SettingError(
                    f"`.after` takes tasks of the same pipeline, not {task!r}.",
                    where=self.place(),
                    remedy="Give it what calling a component in this pipeline returned, or an exit handler.",
                )
            self.awaited.append(task)
            self.builder.waits.append((self.name, task.name, caller()))
        return self

    def ignore_upstream_failure(self) -> PipelineTask:
        """Run when what it waits for has ended, even if that failed."""
        for spec in self.component.inputs:
            given = self.arguments.get(spec.name)
            if isinstance(given, PipelineChannel) and any(given.producers) and not spec.optional:
                raise SettingError(
                    f"`.ignore_upstream_failure`: {given.describe()} is missing if that fails, and the "
                    f"argument {spec.name!r} has no default.",
                    where=self.place(),
                    remedy="Give the argument a default in the component.",
                )
        self.trigger = Trigger(strategy=TriggerStrategy.COMPLETED)
        return self

    def set_caching_options(self, enable_caching: bool = True, cache_key: str | None = None) -> PipelineTask:
        """Say whether an earlier result with the same inputs may be used, and under which key it is kept."""
        return self._set(caching=bool(enable_caching), cache_key=cache_key or "")

    def set_cpu_request(self, cpu: str | PipelineChannel) -> PipelineTask:
        """Ask for that much CPU: cores, or thousandths (`2`, `0.5`, `500m`)."""
        return self._set_resource("cpu_request", quantity.cpu, cpu)

    def set_cpu_limit(self, cpu: str | PipelineChannel) -> PipelineTask:
        """Allow at most that much CPU."""
        return self._set_resource("cpu_limit", quantity.cpu, cpu)

    def set_memory_request(self, memory: str | PipelineChannel) -> PipelineTask:
        """Ask for that much memory: bytes, or with a unit (`512Mi`, `4Gi`)."""
        return self._set_resource("memory_request", quantity.memory, memory)

    def set_memory_limit(self, memory: str | PipelineChannel) -> PipelineTask:
        """Allow at most that much memory."""
        return self._set_resource("memory_limit", quantity.memory, memory)

    def set_accelerator_type(self, accelerator: str | PipelineChannel) -> PipelineTask:
        """Ask for accelerators of a type (`nvidia.com/gpu`); one, unless the limit says another number."""
        self._set_resource("accelerator_type", str.strip, accelerator)
        if not self.settings.resources.accelerator_count:
            self._set_resource("accelerator_count", quantity.count, 1)
        return self

    def set_accelerator_limit(self, limit: int | str | PipelineChannel) -> PipelineTask:
        """Ask for that many accelerators."""
        return self._set_resource("accelerator_count", quantity.count, limit)

    def set_gpu_limit(self, gpu: str) -> PipelineTask:
        """Ask for that many accelerators, under KFP's older name."""
        return self.set_accelerator_limit(gpu)

    def add_node_selector_constraint(self, accelerator: str) -> PipelineTask:
        """Ask for accelerators of a type, under KFP's older name."""
        return self.set_accelerator_type(accelerator)

    def set_retry(
        self,
        num_retries: int,
        backoff_duration: str | None = None,
        backoff_factor: float | None = None,
        backoff_max_duration: str | None = None,
    ) -> PipelineTask:
        """Try again after a failure; of a pipeline's task: each step in it that does not say so itself.

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
        """Stop what takes longer: an attempt of a step, or a pipeline as a whole.

        Args:
            seconds: The limit in seconds, or with a unit (`30m`); 0 means none.
        """
        return self._set(timeout_seconds=self._checked(quantity.seconds, seconds))

    def set_env_variable(self, name: str, value: str) -> PipelineTask:
        """Set an environment variable."""
        self._require_step("set_env_variable")
        if not re.fullmatch(r"[-._a-zA-Z][-._a-zA-Z0-9]*", self._text(name)):
            raise self._wrong(f"{name!r} is no name of an environment variable; use letters, digits and _")
        text = self.constant_text(value, f"The environment variable {name}")
        return self._set(env=tuple({**dict(self.settings.env), name: text}.items()))

    def set_debug_pause(
        self, before: bool = False, after: bool = True, on_error: bool = False
    ) -> PipelineTask:
        """Let Argo keep the task's pod, so that one can look into it.

        Args:
            before: Pause before the step begins.
            after: Pause when it has ended.
            on_error: Pause at its end only if it failed.
        """
        if not (before or after) or (on_error and not after):
            raise self._wrong("this pauses never; set `before`, or `after`, or both")
        names = {"BEFORE": before, "AFTER": after and not on_error, "ON_ERROR": on_error}
        for name, is_set in names.items():
            if is_set:
                self.set_env_variable(f"ARGO_DEBUG_PAUSE_{name}", "true")
        return self

    def set_display_name(self, name: str) -> PipelineTask:
        """Set the name that people see."""
        return self._set(display_name=self.constant_text(name, "The display name"))

    def set_container_image(self, name: str | PipelineChannel) -> PipelineTask:
        """Run in this image instead of the component's; it may be a value of the run, or hold one."""
        self._require_step("set_container_image")
        before = len(self.mentioned)
        image = self._with_placeholders(str(name) if isinstance(name, PipelineChannel) else self._text(name))
        self.followed.extend(self.mentioned[before:])
        return self._set(image=image)

    def set_kubernetes(self, **settings: Json) -> PipelineTask:
        """Put settings that only Kubernetes has beside those it has, in the shape of KFP's executor config.

        Args:
            **settings: JSON by the config's field, in which channels stand for values of the run.
        """
        self._require_step("a setting of `kubernetes`")
        return self._set(kubernetes={**self.settings.kubernetes, **settings})

    def finished_settings(self, kubernetes: Mapping[str, Json]) -> TaskSettings:
        """Return its settings, with those of Kubernetes as they are when all channels are known."""
        return replace(self.settings, kubernetes=kubernetes) if kubernetes else self.settings

    def _set(self, **settings: Any) -> PipelineTask:
        self.settings = replace(self.settings, **settings)
        return self

    def _set_resource(self, field: str, check: Callable[[Any], str], value: Any) -> PipelineTask:
        self._require_step(f"a limit or request ({field})")
        if isinstance(value, PipelineChannel):
            text = self._with_placeholders(str(value))
        else:
            text = self._checked(check, value)
        return self._set(resources=replace(self.settings.resources, **{field: text}))

    def _require_step(self, what: str) -> None:
        """Refuse what only a task with a container of its own can be given."""
        if not isinstance(self.component.implementation, (PythonStep, ContainerStep)):
            raise SettingError(
                f"It runs no container of its own, so it cannot be given {what}.",
                where=self.place(),
                remedy="Set it on the tasks inside the pipeline that this task runs.",
            )

    def _with_placeholders(self, text: str) -> str:
        """Return a text with placeholders for the values of the run in it, which become arguments."""
        for mark in marks(text):
            channel = self.builder.mentioned.get(mark)
            if channel is None:
                raise self._wrong(f"{mark} is a value of another pipeline; use one of this pipeline")
            text = text.replace(mark, channel.placeholder)
            self.mentioned.append(channel)
        return text

    def _checked(self, check: Callable[[Any], Any], value: Any) -> Any:
        if isinstance(value, PipelineChannel):
            raise self._wrong(f"this setting cannot come from {value!r}; write a constant")
        try:
            return check(value)
        except ValueError as error:
            raise self._wrong(str(error)) from None
        except TypeError:
            raise self._wrong(f"{value!r} is of type {type(value).__name__}; write a text") from None

    def _text(self, value: Any) -> str:
        text: str = self._checked(str.__str__, value)
        return text

    def constant_text(self, value: Any, what: str) -> str:
        """Return a text in which there is no value of the run; KFP would pass on the mark of one as it is.

        Args:
            value: The text.
            what: What it is for, in a sentence.

        Raises:
            SettingError: There is one in it, or it is no text.
        """
        text = self._text(value)
        for mark in marks(text):
            raise SettingError(
                f"{what} holds {self.builder.mentioned.get(mark, mark)!r}, which is only known in the run.",
                where=self.place(),
                remedy="Give it to the component as an argument, and use it there.",
            )
        return text

    def _wrong(self, what: str) -> SettingError:
        what, _, remedy = what.partition("; ")
        return SettingError(
            f"{what[0].upper()}{what[1:]}.",
            where=self.place(),
            remedy=f"{remedy[0].upper()}{remedy[1:]}." if remedy else "",
        )
