"""Kubeflow Pipelines inside Jupyter: write pipelines in notebook cells, see them, run them anywhere.

Importing this costs next to nothing: every name loads what it needs when it is first used.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kfp_jupyter.dsl import component, pipeline
    from kfp_jupyter.errors import KfpJupyterError
    from kfp_jupyter.run import Run, RunFailedError
    from kfp_jupyter.workbench import Workbench

__all__ = [
    "KfpJupyterError",
    "Run",
    "RunFailedError",
    "Workbench",
    "component",
    "load_ipython_extension",
    "pipeline",
    "unload_ipython_extension",
]

__version__ = "0.1.0"

_HOMES = {
    "KfpJupyterError": "kfp_jupyter.errors",
    "Run": "kfp_jupyter.run",
    "RunFailedError": "kfp_jupyter.run",
    "Workbench": "kfp_jupyter.workbench",
    "component": "kfp_jupyter.dsl",
    "pipeline": "kfp_jupyter.dsl",
}


def load_ipython_extension(shell: Any) -> None:
    """Make `%load_ext kfp_jupyter` work: magics, displays and the way to JupyterLab. No network is used."""
    from kfp_jupyter.notebook import load_ipython_extension as load

    load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """Make `%unload_ext kfp_jupyter` work; runs go on."""
    from kfp_jupyter.notebook import unload_ipython_extension as unload

    unload(shell)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})


def _run(pipeline: Any, arguments: Mapping[str, Any], *, target: str, wait: bool) -> Any:
    from kfp_jupyter.workbench import current

    run = current().run(pipeline, arguments, target=target or None)
    return run.wait() if wait else run


def _argo_workflow(pipeline: Any) -> str:
    """Return a Workflow that `kubectl create` takes; every parameter has its default's value."""
    from kfp_jupyter.engines.argo.manifest import to_yaml, workflow
    from kfp_jupyter.engines.base import RunOptions
    from kfp_jupyter.model.check import bind_arguments
    from kfp_jupyter.model.run import Target
    from kfp_jupyter.runs.run_id import new_run_id

    options = RunOptions(new_run_id(pipeline.name), Target("argo"))
    return to_yaml(workflow(pipeline, bind_arguments(pipeline, {}), options))


class _Package(ModuleType):
    """This package, which learns when its `dsl` was imported.

    Written pipelines have a method `run`, but `dsl` may not import what runs them (docs/architecture.md, "The
    house"). So the way there is laid here, however `dsl` came to be imported; what it leads to loads on the
    first run.
    """

    def __setattr__(self, name: str, value: object) -> None:
        super().__setattr__(name, value)
        if name == "dsl":
            written: Any = import_module("kfp_jupyter.dsl.pipeline_function")
            written.run_hook = _run
            written.writers["argo"] = _argo_workflow


sys.modules[__name__].__class__ = _Package
