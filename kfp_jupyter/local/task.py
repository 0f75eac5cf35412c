"""A task that has run: what a call returns after `local.init`.

It has KFP's attributes of a task, with values where a task of a pipeline has channels. What would change how
it runs comes too late: settings of Kubernetes, which would have done nothing here, only warn; the others are
refused, as KFP does.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from kfp_jupyter.cells.origin import caller, place_line
from kfp_jupyter.dsl.pipeline_task import PipelineTask
from kfp_jupyter.dsl.task_outputs import OutputError
from kfp_jupyter.dsl.task_state import TaskState
from kfp_jupyter.local.errors import FinalTaskError
from kfp_jupyter.local.unused_settings import LocalSettingWarning
from kfp_jupyter.model.check import unknown_name
from kfp_jupyter.model.component import Component
from kfp_jupyter.model.pipeline import TaskSettings

if TYPE_CHECKING:
    from kfp_jupyter.run import Run

WITHOUT_EFFECT = (
    "add_node_selector_constraint",
    "set_accelerator_limit",
    "set_accelerator_type",
    "set_cpu_limit",
    "set_cpu_request",
    "set_display_name",
    "set_gpu_limit",
    "set_kubernetes",
    "set_memory_limit",
    "set_memory_request",
)
"""Methods that warn."""

TOO_LATE = (
    "after",
    "ignore_upstream_failure",
    "set_caching_options",
    "set_container_image",
    "set_debug_pause",
    "set_env_variable",
    "set_retry",
    "set_timeout",
)
"""Methods that are refused."""


class Values(dict[str, Any]):
    """The outputs of a task that has run, by name."""

    def __init__(self, held: Mapping[str, Any], task: LocalTask) -> None:
        super().__init__(held)
        self._task = task

    def __missing__(self, name: str) -> NoReturn:
        """Say which outputs there are."""
        raise OutputError(
            f"Task {self._task.name!r} gave out no {name!r}.",
            where=self._task.place(),
            remedy=unknown_name("outputs", name, self),
        )


class LocalTask(PipelineTask):
    """A task that has run.

    Attributes:
        name: Its name.
        component: What it ran.
        run: The run, with its states, logs and pictures.
        outputs: What it gave out: parameters as values, artifacts as objects of their class with `.path`,
            `.uri` and `.metadata`. Empty if it did not succeed.
    """

    state = TaskState.FINAL

    def __init__(
        self, component: Component, given: Mapping[str, Any], outputs: Mapping[str, Any], run: Run
    ) -> None:
        # Not the constructor of a task to come: there is no pipeline that this one would be added to.
        self.name = component.name
        self.component = component
        self.run = run
        self.settings = TaskSettings()
        self._given = dict(given)
        self._values = Values(outputs, self)

    @property
    def inputs(self) -> dict[str, Any]:
        """What it was given."""
        return self._given

    @property
    def outputs(self) -> dict[str, Any]:  # type: ignore[override]  # values, where a task to come has channels
        """What it gave out, by name."""
        return self._values

    @property
    def output(self) -> Any:
        """Its only output.

        Raises:
            OutputError: There is none, or there are several.
        """
        if len(self._values) != 1:
            names = ", ".join(f"`.outputs[{name!r}]`" for name in self._values)
            raise OutputError(
                f"Task {self.name!r} gave out {len(self._values) or 'nothing'}"
                + (" outputs, so `.output` could mean any." if names else "."),
                where=self.place(),
                remedy=f"Use {names}." if names else self._why_nothing(),
            )
        return next(iter(self._values.values()))

    @property
    def dependent_tasks(self) -> list[str]:
        """Refused: a task that was run by itself has waited for none."""
        raise FinalTaskError(
            f"Task {self.name!r} was run by itself, so it waited for no other.", where=self.place()
        )

    def __iter__(self) -> Iterator[Any]:
        """Yield the outputs in the order in which the component declares them."""
        if len(self._values) < 2:
            self.refuse("unpacked or iterated over")
        names = [spec.name for spec in self.component.outputs]
        return iter([self._values[name] for name in names if name in self._values])

    def __repr__(self) -> str:
        """Return one line: the name, and what it gave out."""
        given = ", ".join(f"{name}={value!r}" for name, value in self._values.items())
        return f"<task {self.name!r}, which has run: {given or 'no outputs'}>"

    def place(self, origin: tuple[str, int] | None = None) -> str:
        """Return the task for a message, with a line of code; by default the line that is running."""
        line = place_line(*(origin or caller()))
        return f"{line}, task {self.name}" if line else f"task {self.name}"

    def _why_nothing(self) -> str:
        if not self.component.outputs:
            return ""
        return f"It did not succeed: `%kfp show {self.run.id}` or `.run` tells of it."


def _warns(method: str) -> Any:
    def warn(self: LocalTask, *_: Any, **__: Any) -> LocalTask:
        said = f"'.{method}()' is not used by the current local runner: the task has run already."
        warnings.warn(LocalSettingWarning(said), stacklevel=2)
        return self

    return warn


def _refuses(method: str) -> Any:
    def refuse(self: LocalTask, *_: Any, **__: Any) -> NoReturn:
        raise FinalTaskError(
            f"`.{method}` comes too late: the task {self.name!r} has run already, when it was called.",
            where=self.place(),
            remedy="Call the component in a function under `@dsl.pipeline`, set this there, and call that.",
        )

    return refuse


for _method in WITHOUT_EFFECT:
    setattr(LocalTask, _method, _warns(_method))
for _method in TOO_LATE:
    setattr(LocalTask, _method, _refuses(_method))
