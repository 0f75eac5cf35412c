"""`@component`: a function as a component, and what calling one does.

Inside a pipeline a call adds a task; outside it runs the function, if that has no artifacts.
Reference: https://kubeflow-pipelines.readthedocs.io/en/stable/source/dsl.html#kfp.dsl.component
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, overload

from kfp_jupyter.cells.component import component_from_function, with_functions
from kfp_jupyter.cells.origin import caller, place_line
from kfp_jupyter.dsl.base_component import BaseComponent, NotSupportedError, refuse_unsupported
from kfp_jupyter.dsl.pipeline_builder import current_builder
from kfp_jupyter.model.component import Component, PythonStep
from kfp_jupyter.model.pipeline import PipelineError, TaskSettings
from kfp_jupyter.model.types import ArtifactType

__all__ = ["NotSupportedError", "PythonComponent", "component"]


class PythonComponent(BaseComponent):
    """A component made of a Python function.

    Attributes:
        python_func: The function, or None where there is only its text.
    """

    def __init__(
        self,
        model: Component,
        python_func: Callable[..., Any] | None = None,
        defaults: TaskSettings | None = None,
    ) -> None:
        super().__init__(model, _shown_as_written(model, defaults or TaskSettings()))
        self.python_func = python_func
        self.__name__ = getattr(python_func, "__name__", self.__name__)
        self.__doc__ = getattr(python_func, "__doc__", None) or model.description

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Add a task to the pipeline that is being written; outside of one, run the function.

        Returns:
            The `PipelineTask`; outside of a pipeline what the function returns.

        Raises:
            ArgumentError: An argument is unknown, missing, given twice, or of the wrong type.
            PipelineError: There is no pipeline, and the component has artifacts.
        """
        if current_builder() is not None:
            return self.add_task(*args, **kwargs)
        artifacts = self._artifacts()
        if artifacts or self.python_func is None:
            why = f"it has artifacts ({', '.join(artifacts)})" if artifacts else "its function is not loaded"
            raise PipelineError(
                f"Component {self.name!r} was called outside of a pipeline, and {why}.",
                where=place_line(*caller()),
                remedy="Call it in a `%%pipeline` cell or in a function under `@pipeline`.",
            )
        return self.python_func(*args, **kwargs)

    def execute(self, **kwargs: Any) -> Any:
        """Run the function, as KFP calls it."""
        if self.python_func is None:
            raise PipelineError(f"The function of component {self.name!r} is not loaded.")
        return self.python_func(**kwargs)

    def _artifacts(self) -> list[str]:
        inputs = [spec.name for spec in self.model.inputs if isinstance(spec.type, ArtifactType)]
        return [*inputs, *(spec.name for spec in self.model.outputs if isinstance(spec.type, ArtifactType))]


def _shown_as_written(model: Component, settings: TaskSettings) -> TaskSettings:
    """Let people see a function's name where KFP's spelling, which is ASCII, would garble it."""
    step = model.implementation
    if settings.display_name or not isinstance(step, PythonStep) or step.function.isascii():
        return settings
    return replace(settings, display_name=step.function)


@overload
def component(func: Callable[..., Any]) -> PythonComponent: ...


@overload
def component(
    func: None = None,
    *,
    base_image: str | None = None,
    target_image: str | None = None,
    packages_to_install: Sequence[str] | None = None,
    pip_index_urls: Sequence[str] | None = None,
    output_component_file: str | None = None,
    install_kfp_package: bool = True,
    kfp_package_path: str | None = None,
    pip_trusted_hosts: Sequence[str] | None = None,
    use_venv: bool = False,
    additional_funcs: Sequence[Callable[..., Any]] | None = None,
    embedded_artifact_path: str | None = None,
    task_config_passthroughs: Sequence[Any] | None = None,
) -> Callable[[Callable[..., Any]], PythonComponent]: ...


def component(
    func: Callable[..., Any] | None = None,
    *,
    base_image: str | None = None,
    target_image: str | None = None,
    packages_to_install: Sequence[str] | None = None,
    pip_index_urls: Sequence[str] | None = None,
    output_component_file: str | None = None,
    install_kfp_package: bool = True,
    kfp_package_path: str | None = None,
    pip_trusted_hosts: Sequence[str] | None = None,
    use_venv: bool = False,
    additional_funcs: Sequence[Callable[..., Any]] | None = None,
    embedded_artifact_path: str | None = None,
    task_config_passthroughs: Sequence[Any] | None = None,
) -> PythonComponent | Callable[[Callable[..., Any]], PythonComponent]:
    """Make a function a component; used as a decorator with or without arguments.

    Nothing of KFP is installed in a step, so `install_kfp_package` and `kfp_package_path` have no effect.

    Args:
        func: The function, with type hints.
        base_image: The image of its steps; by default the official Python image of this kernel's version.
        target_image: Not supported yet.
        packages_to_install: Requirements to install before a step runs.
        pip_index_urls: Package indexes for them.
        output_component_file: Not supported yet.
        install_kfp_package: Accepted.
        kfp_package_path: Accepted.
        pip_trusted_hosts: Hosts that pip shall trust without TLS.
        use_venv: Not supported yet.
        additional_funcs: Functions that `func` calls; their text goes with its own.
        embedded_artifact_path: Not supported yet.
        task_config_passthroughs: Not supported yet.

    Raises:
        ComponentError: It cannot become a component; the message says where and why.
        NotSupportedError: An argument that is not supported yet was given.
    """
    if func is None:
        return partial(
            component,
            base_image=base_image,
            target_image=target_image,
            packages_to_install=packages_to_install,
            pip_index_urls=pip_index_urls,
            output_component_file=output_component_file,
            install_kfp_package=install_kfp_package,
            kfp_package_path=kfp_package_path,
            pip_trusted_hosts=pip_trusted_hosts,
            use_venv=use_venv,
            additional_funcs=additional_funcs,
            embedded_artifact_path=embedded_artifact_path,
            task_config_passthroughs=task_config_passthroughs,
        )
    refuse_unsupported(
        "@component",
        target_image=target_image,
        output_component_file=output_component_file,
        use_venv=use_venv,
        embedded_artifact_path=embedded_artifact_path,
        task_config_passthroughs=task_config_passthroughs,
    )
    model = component_from_function(
        func,
        with_functions(func, additional_funcs or ()),
        base_image=base_image,
        packages=packages_to_install or (),
        pip_index_urls=pip_index_urls or (),
        pip_trusted_hosts=pip_trusted_hosts or (),
    )
    return PythonComponent(model, func)
