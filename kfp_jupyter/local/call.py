"""A call of a component or pipeline as a run of the local engine, from its arguments to its outputs.

A component becomes a pipeline of one task, a pipeline is run as it is. An artifact that is given is what an
importer of it would give, so the step gets it with its metadata.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from kfp_jupyter.dsl.importer import importer
from kfp_jupyter.dsl.outside_call import Called
from kfp_jupyter.dsl.pipeline_builder import PipelineBuilder
from kfp_jupyter.engines.base import EngineError
from kfp_jupyter.executor.artifacts import Artifact
from kfp_jupyter.local.errors import LocalRunError
from kfp_jupyter.local.outputs import outputs_of
from kfp_jupyter.local.printed import print_until_end
from kfp_jupyter.local.session import Session
from kfp_jupyter.local.task import LocalTask
from kfp_jupyter.local.unused_settings import tell
from kfp_jupyter.model.component import Component
from kfp_jupyter.model.pipeline import Pipeline
from kfp_jupyter.model.run import State, Target
from kfp_jupyter.model.types import ArtifactType, Json

if TYPE_CHECKING:
    from kfp_jupyter.run import Run

_LOG = logging.getLogger("kfp_jupyter.local")


@dataclass(frozen=True, slots=True)
class LocalCall:
    """Runs what is called.

    Attributes:
        session: What `local.init` has chosen.
    """

    session: Session

    def __call__(self, called: Called, positional: tuple[Any, ...], named: Mapping[str, Any]) -> LocalTask:
        """Run a component or pipeline, and return the task that it was.

        Raises:
            ArgumentError: An argument is unknown, missing, given twice, or of the wrong type.
            LocalRunError: It cannot be run here, or did not succeed.
            KeyboardInterrupt: It was interrupted; the run is canceled.
        """
        __tracebackhide__ = True
        pipeline, arguments = written(called, positional, named)
        run = self._started(pipeline, arguments)
        try:
            print_until_end(run)
            run.wait()
        except KeyboardInterrupt:
            run.cancel()
            raise
        names = [spec.name for spec in called.component.inputs]
        given = {**dict(zip(names, positional, strict=False)), **named}
        if run.state is not State.SUCCEEDED:
            self._tell_failure(called, run)
            return LocalTask(called.component, given, {}, run)
        return LocalTask(called.component, given, outputs_of(run), run)

    def _started(self, pipeline: Pipeline, arguments: Mapping[str, Json]) -> Run:
        from kfp_jupyter.workbench import current

        __tracebackhide__ = True
        try:
            run = current().run(
                pipeline,
                arguments,
                target=Target(),
                caching=self.session.caching,
                tell=lambda _: None,  # see `unused_settings`
                local=self.session.options,
            )
        except EngineError as error:
            raise LocalRunError(error.what, where=error.where, remedy=error.remedy) from None
        tell(pipeline, run.status.notices)
        return run

    def _tell_failure(self, called: Called, run: Run) -> None:
        __tracebackhide__ = True
        kind = "pipeline" if called.pipeline is not None else "task"
        failure = run.failure()
        what = f"The {kind} {called.component.name!r} finished with status FAILURE: {failure.what}"
        error = LocalRunError(what, where=failure.where, remedy=failure.remedy)
        if self.session.raise_on_error:
            raise error
        _LOG.error("%s", error)


def written(
    called: Called, positional: tuple[Any, ...], named: Mapping[str, Any]
) -> tuple[Pipeline, dict[str, Json]]:
    """Return the pipeline that a call is, and what it is run with.

    Raises:
        ArgumentError: An argument is unknown, missing, given twice, or of the wrong type.
    """
    __tracebackhide__ = True
    component, whole = called.component, called.pipeline
    names = [spec.name for spec in component.inputs]
    if whole is not None and not has_artifacts(component):
        twice = [name for name in names[: len(positional)] if name in named]
        if len(positional) <= len(names) and not twice:
            return whole, {**dict(zip(names, positional, strict=False)), **named}
    config = whole.config if whole is not None else None
    builder = PipelineBuilder(component.name, outputs=component.outputs, config=config)
    with builder:
        task = builder.add_task(
            component,
            tuple(_importable(held) for held in positional),
            {name: _importable(held) for name, held in named.items()},
            called.settings,
            whole,
        )
    pipeline = builder.build(task.outputs)
    return replace(pipeline, description=component.description, passthroughs=component.passthroughs), {}


def has_artifacts(component: Component) -> bool:
    """Say whether a component takes artifacts."""
    return any(isinstance(spec.type, ArtifactType) for spec in component.inputs)


def _importable(given: Any) -> Any:
    """Return an argument of a task of a pipeline: an artifact is imported, anything else a constant."""
    if not isinstance(given, Artifact):
        return given
    return importer(os.fspath(given.path), _class_of(given), metadata=given.metadata).output


def _class_of(artifact: Artifact) -> type[Artifact]:
    return type(artifact)
