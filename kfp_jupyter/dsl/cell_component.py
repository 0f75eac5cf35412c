"""A cell as a component, and what calling one does.

Inside a pipeline a call adds a task, as for any component. Outside it runs the body on the values given, in a
copy of the notebook's names, and returns what it gives out: so a step can be tried on other values.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kfp_jupyter.cells.cell_form import FIRST_LINE, CellStep
from kfp_jupyter.cells.finding import Finding
from kfp_jupyter.dsl.pipeline_builder import current_builder
from kfp_jupyter.dsl.python_component import PythonComponent
from kfp_jupyter.executor.artifacts import ARTIFACT_CLASSES
from kfp_jupyter.model.check import ArgumentError, missing_argument, unknown_name
from kfp_jupyter.model.component import Component
from kfp_jupyter.model.pipeline import TaskSettings
from kfp_jupyter.model.types import ArtifactType


class CellComponent(PythonComponent):
    """A component made of a cell.

    Attributes:
        step: What it is made of.
    """

    def __init__(
        self,
        step: CellStep,
        file: str,
        namespace: Mapping[str, Any],
        defaults: TaskSettings | None = None,
        check: Callable[[Component], Sequence[Finding]] = lambda _component: (),
    ) -> None:
        model = step.component()
        super().__init__(model, _function(step, file, namespace), defaults, check(model))
        self.step = step

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Add a task to the pipeline that is being written; outside of one, run the body on values.

        Returns:
            The `PipelineTask`. Outside of a pipeline the output's value; several as a named tuple.

        Raises:
            ArgumentError: An argument is unknown, missing, given twice, or of the wrong type.
        """
        if current_builder() is not None or self.python_func is None:
            return self.add_task(*args, **kwargs)
        return self.python_func(*args, **kwargs)


def logged_objects(step: CellStep) -> dict[str, Any]:
    """Return the objects that a body finds for its outputs to log to, by name."""
    classes = {held.schema_title: held for held in ARTIFACT_CLASSES}
    return {
        port.name: classes[port.type.schema_title]()
        for port in step.form.line.outputs
        if port.name in step.form.logged and isinstance(port.type, ArtifactType)
    }


def _function(step: CellStep, file: str, namespace: Mapping[str, Any]) -> Callable[..., Any]:
    line = step.form.line

    def function(*args: Any, **kwargs: Any) -> Any:
        values = {**namespace, **logged_objects(step), **_bound(step, args, kwargs)}
        text = "\n" * (FIRST_LINE - 1) + step.form.body
        exec(compile(text, file, "exec", dont_inherit=True), values)
        for port in line.outputs:
            if port.name not in values:
                raise NameError(f"the cell did not assign its output {port.name!r}")
        outputs = {port.name: values[port.name] for port in line.outputs}
        if len(outputs) < 2:
            return next(iter(outputs.values()), None)
        names: Any = list(outputs)  # `Any`, since mypy wants to read the fields in the source
        return namedtuple("Outputs", names)(**outputs)

    function.__name__ = function.__qualname__ = line.name
    return function


def _bound(step: CellStep, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    ports = {port.name: port for port in step.form.line.inputs}
    names = list(ports)
    if len(args) > len(names):
        raise ArgumentError(f"Component {step.form.name!r} takes {len(names)} arguments, not {len(args)}.")
    given = dict(zip(names, args, strict=False))
    for name, value in kwargs.items():
        if name in given:
            raise ArgumentError(f"Component {step.form.name!r} got {name!r} twice.", remedy="Give it once.")
        if name not in ports:
            raise ArgumentError(
                f"Component {step.form.name!r} has no input {name!r}.",
                remedy=unknown_name("inputs", name, names),
            )
        given[name] = value
    missing = [name for name, port in ports.items() if name not in given and not port.optional]
    if missing:
        raise missing_argument(step.component(), missing, step.form.place)
    return {**{name: port.default for name, port in ports.items()}, **given}
