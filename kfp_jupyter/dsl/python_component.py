"""A function as a component, and what calling one does.

Inside a pipeline a call adds a task; outside it runs the function at once (`kfp_jupyter.dsl.direct_call`), or
as a step of a run on this machine, after `kfp_jupyter.local.init`.
Reference: https://kubeflow-pipelines.readthedocs.io/en/stable/source/dsl.html#kfp.dsl.component
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from kfp_jupyter.cells.finding import Finding
from kfp_jupyter.cells.origin import caller, place_line
from kfp_jupyter.dsl.base_component import BaseComponent, NotSupportedError
from kfp_jupyter.dsl.outside_call import outside_call
from kfp_jupyter.dsl.pipeline_builder import current_builder
from kfp_jupyter.dsl.reloaded import Reloaded
from kfp_jupyter.model.component import Component, PythonStep
from kfp_jupyter.model.pipeline import PipelineError, TaskSettings

__all__ = ["NotSupportedError", "PythonComponent"]


class PythonComponent(BaseComponent, Reloaded):
    """A component made of a Python function.

    Attributes:
        python_func: The function, or None where there is only its text.
        findings: What checks of its code warn of.
    """

    def __init__(
        self,
        model: Component,
        python_func: Callable[..., Any] | None = None,
        defaults: TaskSettings | None = None,
        findings: Sequence[Finding] = (),
    ) -> None:
        BaseComponent.__init__(self, model, _shown_as_written(model, defaults or TaskSettings()))
        Reloaded.__init__(self, python_func)
        self.findings = tuple(findings)
        self.python_func = python_func
        self.__name__ = getattr(python_func, "__name__", self.__name__)
        self.__doc__ = getattr(python_func, "__doc__", None) or model.description

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Add a task to the pipeline that is being written; outside of one, run the function.

        Returns:
            The `PipelineTask`. Outside of a pipeline what the function gives out: what it returns, its one
            output artifact, or all of them by name, as a named tuple. After `kfp_jupyter.local.init` a
            `PipelineTask` that has run, there too.

        Raises:
            ArgumentError: An argument is unknown, missing, given twice, or of the wrong type.
            PipelineError: There is no pipeline, and the function is not loaded.
            StepCallError: There is no pipeline, and it did not give out what it declares.
            LocalRunError: It was run after `local.init`, and did not succeed.
        """
        __tracebackhide__ = True
        self.catch_up()
        if current_builder() is not None or outside_call() is not None:
            return super().__call__(*args, **kwargs)
        if self.python_func is None:
            raise PipelineError(
                f"Component {self.name!r} was called outside of a pipeline, and its function is not loaded.",
                where=place_line(*caller()),
                remedy="Install its packages here and define it again, or call it in a pipeline.",
            )
        from kfp_jupyter.dsl.direct_call import call

        return call(self.model, self.python_func, args, kwargs)

    def execute(self, **kwargs: Any) -> Any:
        """Run the function, as KFP calls it."""
        if self.python_func is None:
            raise PipelineError(f"The function of component {self.name!r} is not loaded.")
        return self.python_func(**kwargs)


def _shown_as_written(model: Component, settings: TaskSettings) -> TaskSettings:
    """Let people see a function's name where KFP's spelling, which is ASCII, would garble it."""
    step = model.implementation
    if settings.display_name or not isinstance(step, PythonStep) or step.function.isascii():
        return settings
    return replace(settings, display_name=step.function)
