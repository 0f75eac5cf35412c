"""The call of a component outside of a pipeline: its function runs at once, here, on the values given.

Arguments are bound and outputs are read by the executor's own code, so what works when it is tried works as a
step. What differs is only what has to: the function is the live one (a debugger stops in it), the caller's
artifacts are handed over as they are, and output artifacts lie in a folder that is removed when this process
ends, unless the caller gives artifacts with places of their own.

KFP's SDK refuses such calls unless `kfp.local.init` was called, and then runs a task in another process. Here
nothing has to be set up; after `kfp_jupyter.local.init` a call is a run here too, and not this.
"""

from __future__ import annotations

import asyncio
import atexit
import inspect
import os
import shutil
import tempfile
from collections import namedtuple
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import cache
from pathlib import Path
from typing import Any

from kfp_jupyter.cells.origin import caller, place_line
from kfp_jupyter.executor import artifacts as executor_artifacts
from kfp_jupyter.executor.annotations import Meaning, meaning
from kfp_jupyter.executor.arguments import Arguments, artifacts_of
from kfp_jupyter.executor.artifacts import Artifact
from kfp_jupyter.executor.failure import StepError
from kfp_jupyter.executor.results import Results
from kfp_jupyter.model import check
from kfp_jupyter.model.check import ArgumentError
from kfp_jupyter.model.component import Component, InputSpec
from kfp_jupyter.model.pipeline import PipelineError
from kfp_jupyter.model.types import ArtifactType, ParameterType


class StepCallError(PipelineError):
    """A component that was called outside of a pipeline did not give out what it declares."""


def call(
    component: Component, function: Callable[..., Any], positional: tuple[Any, ...], named: Mapping[str, Any]
) -> Any:
    """Run a component's function on values.

    Args:
        component: The component.
        function: Its function.
        positional: Values of its inputs, in order; an artifact is an `Artifact`, a path, or what
            `run.tasks[…].artifacts[…]` gives; a list output takes and gives lists.
        named: The same by name; also artifacts for outputs that shall have places of their own.

    Returns:
        What the function returns, if that is all it gives out. Else its one output, or all of them by name as
        a named tuple, in the component's order.

    Raises:
        ArgumentError: An argument is unknown, missing, given twice, or of the wrong type.
        StepCallError: It did not give out what it declares.
        Exception: Whatever the function raises.
    """
    __tracebackhide__ = True
    if _is_plain(component, function):
        return _finished(function(*positional, **named))
    return _Call(component, function, positional, named).outputs()


def _is_plain(component: Component, function: Callable[..., Any]) -> bool:
    """Say whether the function takes and gives out nothing but values."""
    types = [*(spec.type for spec in component.inputs), *(spec.type for spec in component.outputs)]
    if any(isinstance(type_, ArtifactType) for type_ in types):
        return False
    return not any(_is_path(hint, function) for hint in function.__annotations__.values())


def _is_path(hint: Any, function: Callable[..., Any]) -> bool:
    try:
        return meaning(hint, function.__globals__).is_path
    except Exception:  # noqa: BLE001 - whatever the user's hint raises
        return False


def _finished(returned: Any) -> Any:
    """Return what a function returned; what an asynchronous one does is done first, as in a step.

    A notebook's cells run inside a loop, which cannot wait for another one: that then has its own thread.
    """
    if not inspect.iscoroutine(returned):
        return returned
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(returned)
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(copy_context().run, asyncio.run, returned).result()


class _Call:
    def __init__(
        self,
        component: Component,
        function: Callable[..., Any],
        positional: tuple[Any, ...],
        named: Mapping[str, Any],
    ) -> None:
        self._component = component
        self._function = function
        self._where = place_line(*caller())
        self._folder = Path(tempfile.mkdtemp(prefix=f"{component.name}-", dir=_folder()))
        self._inputs = {spec.name: spec for spec in component.inputs}
        self._artifacts = {
            spec.name: spec.type for spec in component.outputs if isinstance(spec.type, ArtifactType)
        }
        self._given = self._bound(positional, named)

    def outputs(self) -> Any:
        """Run the function and return what it gives out."""
        __tracebackhide__ = True
        places = self._places()
        inputs = {"parameterValues": self._parameters(), "artifacts": self._input_artifacts()}
        root, before = executor_artifacts.task_root, executor_artifacts.task_root[0]
        try:
            arguments = Arguments(self._function, {"inputs": inputs, "outputs": places})
            arguments.values.update(self._own_objects(arguments.values))
            arguments.artifacts.update(
                {name: [held] for name, held in self._given.items() if name in arguments.artifacts}
            )
            root[0] = str(self._folder)
            returned = _finished(self._function(**arguments.values))
            results = Results(arguments, places)
            written = results.executor_output(returned)
        except StepError as error:
            raise StepCallError(
                f"Component {self._component.name!r}: {error}.",
                where=self._where,
                remedy="As a step of a pipeline it would fail in the same way.",
            ) from None
        finally:
            root[0] = before
        values = {
            spec.name: self._output(spec.name, arguments, written, results.values)
            for spec in self._component.outputs
        }
        if not values or (len(values) == 1 and "Output" in values):
            return returned
        if len(values) == 1:
            return next(iter(values.values()))
        return _named_tuple(values)

    def _bound(self, positional: tuple[Any, ...], named: Mapping[str, Any]) -> dict[str, Any]:
        names = list(self._inputs)
        known = [*names, *self._artifacts]
        twice = [name for name in names[: len(positional)] if name in named]
        unknown = [name for name in named if name not in known]
        given = {**dict(zip(names, positional, strict=False)), **named}
        if len(positional) > len(names):
            raise self._wrong(
                f"takes {len(names)} arguments, not {len(positional)}", "Take away what is too many."
            )
        if twice:
            raise self._wrong(f"got {twice[0]!r} twice, by position and by name", "Give it once.")
        if unknown:
            raise self._wrong(
                f"has no argument {unknown[0]!r}", check.unknown_name("arguments", unknown[0], known)
            )
        missing = [
            name for name, spec in self._inputs.items() if not _may_be_missing(spec) and name not in given
        ]
        if missing:
            raise check.missing_argument(self._component, missing, self._where)
        return {name: held for name, held in given.items() if held is not None or name not in self._inputs}

    def _wrong(self, what: str, remedy: str) -> ArgumentError:
        return ArgumentError(f"Component {self._component.name!r} {what}.", where=self._where, remedy=remedy)

    def _parameters(self) -> dict[str, Any]:
        values = {}
        for name, held in self._given.items():
            spec = self._inputs.get(name)
            if spec is None or not isinstance(spec.type, ParameterType):
                continue
            try:
                values[name] = held if spec.filled_in else check.input_value(spec, held)
            except ValueError as error:
                raise check.wrong_constant(spec, error, self._where) from None
        return values

    def _input_artifacts(self) -> dict[str, Any]:
        listed = {}
        for name, held in self._given.items():
            spec = self._inputs.get(name)
            if spec is not None and isinstance(spec.type, ArtifactType):
                every = held if isinstance(held, (list, tuple)) else [held]
                listed[name] = {"artifacts": [self._record(spec, one) for one in every]}
        return listed

    def _record(self, spec: InputSpec, held: Any) -> dict[str, Any]:
        """Return the RuntimeArtifact of what was given for an input artifact."""
        uri = os.fspath(held) if isinstance(held, (str, os.PathLike)) else getattr(held, "uri", None)
        if not isinstance(uri, str):
            raise self._wrong(
                f"needs an artifact for {spec.name!r}, and got {type(held).__name__}",
                f"Give a path, or an artifact: `{spec.type.python_name}(uri=PATH)`.",
            )
        title = getattr(held, "schema_title", "") or getattr(held, "type", "")
        return {
            "name": getattr(held, "name", spec.name),
            "type": {"schemaTitle": title if isinstance(title, str) and title else _title(spec)},
            "uri": uri,
            "metadata": getattr(held, "metadata", {}),
            "customPath": getattr(held, "custom_path", ""),
        }

    def _own_objects(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the artifacts that the caller made, to be handed over as they are."""
        return {
            name: held
            for name, held in self._given.items()
            if isinstance(held, Artifact) and isinstance(values.get(name), Artifact)
        }

    def _places(self) -> dict[str, Any]:
        artifacts, parameters = {}, {}
        for spec in self._component.outputs:
            if not isinstance(spec.type, ArtifactType):
                parameters[spec.name] = {"outputFile": str(self._folder / "outputs" / spec.name)}
                continue
            given = self._given.get(spec.name)
            record = {"name": spec.name, "type": {"schemaTitle": spec.type.schema_title}, "metadata": {}}
            record["uri"] = getattr(given, "uri", given) or str(self._folder / spec.name)
            artifacts[spec.name] = {"artifacts": [record]}
        return {
            "artifacts": artifacts,
            "parameters": parameters,
            "outputFile": str(self._folder / "output.json"),
        }

    def _output(
        self, name: str, arguments: Arguments, written: Mapping[str, Any], returned: Mapping[str, Any]
    ) -> Any:
        handed = arguments.artifacts.get(name)
        if handed is not None:
            return handed if self._artifacts[name].is_list else handed[0]
        if name in arguments.paths:
            return written["parameterValues"][name]
        if name in self._artifacts and isinstance(returned[name], str):
            # A text that is returned for an artifact was written to its file.
            return artifacts_of(written["artifacts"][name], Meaning(None))[0]
        return returned[name]


def _named_tuple(values: dict[str, Any]) -> Any:
    names: Any = list(values)  # `Any`, since mypy wants to read the fields in the source
    return namedtuple("Outputs", names, rename=True)(*values.values())


def _may_be_missing(spec: InputSpec) -> bool:
    return spec.optional or spec.filled_in


def _title(spec: InputSpec) -> str:
    return spec.type.schema_title if isinstance(spec.type, ArtifactType) else ""


@cache
def _folder() -> str:
    """Return this process's folder for output artifacts, which is removed when the process ends."""
    folder = tempfile.mkdtemp(prefix="kfp-jupyter-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
