"""`@component`: makes a function a component.

Reference: https://kubeflow-pipelines.readthedocs.io/en/stable/source/dsl.html#kfp.dsl.component
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, overload

from kfp_jupyter.cells.component import component_from_function, with_functions
from kfp_jupyter.cells.errors import ComponentError
from kfp_jupyter.cells.finding import Finding
from kfp_jupyter.cells.origin import caller, place_line
from kfp_jupyter.cells.special_inputs import TaskConfig, embedded_class
from kfp_jupyter.dsl.embedded_artifact import unpacking
from kfp_jupyter.dsl.python_component import PythonComponent
from kfp_jupyter.dsl.step_adapter import adapted
from kfp_jupyter.dsl.task_config import passthroughs
from kfp_jupyter.interchange.command import arguments
from kfp_jupyter.interchange.component_pipeline import pipeline_of
from kfp_jupyter.interchange.installation import install
from kfp_jupyter.model.component import Component, ContainerStep, Fragment, PythonStep, Source

CONTAINERIZED = ("python3", "-m", "kfp.dsl.executor_main")
"""What runs a function that stands in an image which was built for it."""


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

    Nothing of KFP is installed in a step that our executor runs; `install_kfp_package`, `kfp_package_path`
    and `use_venv` are for KFP's own.

    Args:
        func: The function, with type hints.
        base_image: The image of its steps; by default the official Python image of this kernel's version.
        target_image: An image that holds the function and KFP's SDK, as `kfp component build` makes it.
        packages_to_install: Requirements to install before a step runs.
        pip_index_urls: Package indexes for them.
        output_component_file: A YAML file to write the component to.
        install_kfp_package: Whether KFP's own command installs the KFP SDK.
        kfp_package_path: A requirement for the KFP SDK instead of the usual version.
        pip_trusted_hosts: Hosts that pip shall trust without TLS.
        use_venv: Whether KFP's own command makes a virtual environment.
        additional_funcs: Functions that `func` calls; their text goes with its own.
        embedded_artifact_path: A file or folder that goes with it, for an `EmbeddedInput[...]`.
        task_config_passthroughs: Settings of its tasks that it is told of, in a `TaskConfig`.

    Raises:
        ComponentError: It cannot become a component; the message says where and why.
    """
    given = {name: held for name, held in locals().items() if name not in ("func", "embedded_artifact_path")}
    if func is None:
        return partial(component, embedded_artifact_path=embedded_artifact_path, **given)
    before = (unpacking(embedded_artifact_path),) if embedded_artifact_path else ()
    return python_component(func, before=before, **given)


def python_component(
    func: Callable[..., Any],
    *,
    before: tuple[Fragment, ...] = (),
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
    task_config_passthroughs: Sequence[Any] | None = None,
) -> PythonComponent:
    """Return the component of a function; see `component`.

    Args:
        func: The function.
        before: Source that goes before its own.
        base_image: See `component`, as for the rest.
        target_image: An image that holds the function.
        packages_to_install: Requirements.
        pip_index_urls: Package indexes for them.
        output_component_file: A YAML file.
        install_kfp_package: Whether KFP's own command installs the KFP SDK.
        kfp_package_path: A requirement for the KFP SDK.
        pip_trusted_hosts: Hosts that pip shall trust without TLS.
        use_venv: Whether KFP's own command makes a virtual environment.
        additional_funcs: Functions that `func` calls.
        task_config_passthroughs: Settings that it is told of.

    Raises:
        ComponentError: It cannot become a component; the message says where and why.
    """
    source = with_functions(func, additional_funcs or ())
    first, *others = source.fragments
    source = _adapted(func, Source((first, *before, *others)), bool(before))
    findings: list[Finding] = []
    model = component_from_function(
        func,
        source,
        base_image=base_image,
        packages=(packages_to_install,)
        if isinstance(packages_to_install, str)
        else packages_to_install or (),
        pip_index_urls=pip_index_urls or (),
        pip_trusted_hosts=pip_trusted_hosts or (),
        in_image=target_image is not None,
        tell=findings.append,
    )
    step = model.implementation
    if isinstance(step, PythonStep):
        step = replace(
            step, install_kfp=install_kfp_package, kfp_package_path=kfp_package_path or "", use_venv=use_venv
        )
        model = replace(model, implementation=_in_image(step, target_image) if target_image else step)
    model = replace(model, passthroughs=passthroughs(task_config_passthroughs))
    if output_component_file:
        _write(model, Path(output_component_file))
    return PythonComponent(model, func, findings=findings)


def _adapted(func: Callable[..., Any], source: Source, has_embedded: bool) -> Source:
    hints = {name: held for name, held in func.__annotations__.items() if name != "return"}
    embedded: dict[str, type] = {}
    for name, hint in hints.items():
        # A hint that cannot be evaluated is refused where the interface is read.
        try:
            kind = embedded_class(hint, func.__globals__)
        except Exception:  # noqa: BLE001
            continue
        if kind is not None:
            embedded[name] = kind
    if embedded and not has_embedded:
        raise ComponentError(
            f"The argument {next(iter(embedded))!r} of component {func.__name__!r} gets what is embedded, "
            "and nothing is.",
            where=place_line(*caller()),
            remedy="Name a file or folder: `@component(embedded_artifact_path=…)`.",
        )
    configs = [
        name
        for name, hint in hints.items()
        if hint is TaskConfig or (isinstance(hint, str) and hint.rpartition(".")[2] == "TaskConfig")
    ]
    return adapted(source, func.__name__, embedded, configs)


def _in_image(step: PythonStep, image: str) -> ContainerStep:
    """Return the step of a function that stands in an image."""
    words = install(step, [list(step.packages)])
    return ContainerStep(image, (*words, *CONTAINERIZED), tuple(arguments(step)))


def _write(model: Component, path: Path) -> None:
    from kfp_jupyter.interchange.write import to_yaml

    if path.suffix not in (".yaml", ".yml"):
        raise ComponentError(
            f"The file {path} does not end with .yaml.",
            where=place_line(*caller()),
            remedy="Name it so.",
        )
    path.write_text(to_yaml(pipeline_of(model), description=model.description), encoding="utf-8")
