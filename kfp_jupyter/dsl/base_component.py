"""What every component has in common, whatever it runs: its interface, and that calling it adds a task.

Reference: https://kubeflow-pipelines.readthedocs.io/en/stable/source/dsl.html#kfp.dsl.base_component.BaseComponent
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kfp_jupyter.cells.errors import ComponentError
from kfp_jupyter.cells.origin import caller, place_line
from kfp_jupyter.dsl.outside_call import Called, outside_call
from kfp_jupyter.dsl.pipeline_builder import current_builder
from kfp_jupyter.dsl.pipeline_task import PipelineTask
from kfp_jupyter.model.component import Component, InputSpec, OutputSpec
from kfp_jupyter.model.pipeline import Pipeline, PipelineError, TaskSettings


class NotSupportedError(ComponentError):
    """Something of KFP's that is not here."""


class NotCalledError(PipelineError, AttributeError):
    """A component was taken for the task that calling it makes."""


class NotInitializedError(PipelineError, RuntimeError):
    """Something was called outside of a pipeline that could only run by itself after `local.init`."""


INIT = "call `local.init(local.SubprocessRunner())` first (`from kfp_jupyter import local`)"
"""What makes calls outside of a pipeline run, in words."""


class BaseComponent:
    """A component.

    Attributes:
        model: The component.
        defaults: The settings that its tasks start with.
    """

    def __init__(self, model: Component, defaults: TaskSettings | None = None) -> None:
        self.model = model
        self.defaults = defaults or TaskSettings()
        self.__name__ = model.name.replace("-", "_")
        self.__doc__ = model.description

    @property
    def name(self) -> str:
        """Its name in KFP's spelling."""
        return self.model.name

    @property
    def description(self) -> str:
        """What it is for; from the docstring."""
        return self.model.description

    @property
    def required_inputs(self) -> list[str]:
        """The names of the inputs that have no default."""
        return [spec.name for spec in self.model.inputs if not spec.optional]

    def __repr__(self) -> str:
        inputs, outputs = spelled(self.model.inputs), spelled(self.model.outputs)
        return f"<component {self.name}({inputs})" + (f" -> {outputs}>" if outputs else ">")

    def __getattr__(self, name: str) -> Any:
        """Say of what a task has that the component must be called first."""
        if name.startswith("_") or not hasattr(PipelineTask, name):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        raise NotCalledError(
            f"The component {self.name!r} was not called, so it has no `.{name}`.",
            where=place_line(*caller()),
            remedy=f"Call it: `{self.__name__}(…).{name}`.",
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Add a task to the pipeline that is being written; outside of one, run it if calls are to run.

        Returns:
            The `PipelineTask`; after `kfp_jupyter.local.init`, and outside of a pipeline, one that has run.

        Raises:
            ArgumentError: An argument is unknown, missing, given twice, or of the wrong type.
            PipelineError: No pipeline is being written, and calls are not to run.
            LocalRunError: The run did not succeed.
        """
        __tracebackhide__ = True
        does = outside_call() if current_builder() is None else None
        if does is not None:
            return does(Called(self.model, self.inner_pipeline, self.defaults), args, kwargs)
        return self.add_task(*args, **kwargs)

    def add_task(self, *args: Any, **kwargs: Any) -> PipelineTask:
        """Add a task to the pipeline that is being written.

        Raises:
            ArgumentError: An argument is unknown, missing, given twice, or of the wrong type.
            PipelineError: No pipeline is being written.
        """
        builder = current_builder()
        if builder is None:
            raise NotInitializedError(
                f"Component {self.name!r} was called outside of a pipeline.",
                where=place_line(*caller()),
                remedy="Call it in a `%%pipeline` cell or in a function under `@pipeline`. To run it by "
                f"itself on this machine, {INIT}.",
            )
        return builder.add_task(self.model, args, kwargs, self.defaults, self.inner_pipeline)

    @property
    def inner_pipeline(self) -> Pipeline | None:
        """The pipeline that it is, if it is one."""
        return None


def spelled(specs: Iterable[InputSpec | OutputSpec]) -> str:
    """Return inputs or outputs as people write them: `rate: float, data: Dataset`."""
    return ", ".join(f"{spec.name}: {spec.type.python_name}" for spec in specs)
