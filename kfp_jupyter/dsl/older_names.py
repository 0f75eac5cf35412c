"""Names of KFP 1 that tutorials still show: each is refused, saying what is written instead.

An `ImportError`, because `from kfp.dsl import ContainerOp` would replace an `AttributeError` by one that says
nothing. What KFP 1 did not have either is an ordinary `AttributeError`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kfp_jupyter.cells.origin import caller, place_line
from kfp_jupyter.errors import KfpJupyterError

_FUNCTION = "Write `@dsl.component` above the function."
_CONTAINER = "Write a function under `@dsl.container_component` that returns a `dsl.ContainerSpec`."
_CLAIM = "Use `kubernetes.CreatePVC` and `kubernetes.mount_pvc`."
_FILE = "Let the function take a `dsl.InputPath` or `dsl.OutputPath`, and open that file."
_RUN = "Run the pipeline on this machine with `.run(…)`."
_NONE = "KFP 2 has nothing in its place; run such objects from a component that calls the cluster."

OLDER: dict[str, dict[str, str]] = {
    "kfp": {
        "LocalClient": _RUN,
        "run_pipeline_func_locally": _RUN,
        "run_pipeline_func_on_cluster": "Run the pipeline with `.run(…)`, or compile it and upload the file.",
    },
    "kfp.dsl": {
        "BaseOp": _CONTAINER,
        "ContainerOp": _CONTAINER,
        "InputArgumentPath": "Let the component take the input, and use its `.path` in the arguments.",
        "PipelineConf": "Give `@dsl.pipeline` a `dsl.PipelineConfig`.",
        "PipelineParam": "Let the pipeline's function take an argument with a type.",
        "PipelineVolume": _CLAIM,
        "ResourceOp": _NONE,
        "Sidecar": _NONE,
        "SubGraph": "Call a pipeline inside another.",
        "UserContainer": _CONTAINER,
        "VOLUME_MODE_ROM": "Write 'ReadOnlyMany' in `kubernetes.CreatePVC(access_modes=…)`.",
        "VOLUME_MODE_RWM": "Write 'ReadWriteMany' in `kubernetes.CreatePVC(access_modes=…)`.",
        "VOLUME_MODE_RWO": "Write 'ReadWriteOnce' in `kubernetes.CreatePVC(access_modes=…)`.",
        "VolumeOp": _CLAIM,
        "VolumeSnapshotOp": _NONE,
        "get_pipeline_conf": "Give `@dsl.pipeline` a `dsl.PipelineConfig`.",
        "graph_component": "Call a pipeline inside another; a loop is `dsl.ParallelFor`.",
    },
    "kfp.components": {
        "ComponentStore": "Load components with `components.load_component_from_url`.",
        "InputBinaryFile": _FILE,
        "InputPath": "Import it from `kfp.dsl`.",
        "InputTextFile": _FILE,
        "OutputBinaryFile": _FILE,
        "OutputPath": "Import it from `kfp.dsl`.",
        "OutputTextFile": _FILE,
        "create_component_from_func": _FUNCTION,
        "create_graph_component_from_pipeline_func": "Call the pipeline inside another.",
        "func_to_component_text": _FUNCTION + " `compiler.Compiler().compile` writes it to a file.",
        "func_to_container_op": _FUNCTION,
        "load_component": "Use `load_component_from_file`, `_from_url` or `_from_text`.",
    },
}
"""What to write instead, by module and name."""


class OlderNameError(KfpJupyterError, ImportError):
    """A name that only KFP 1 has."""


def missing_name(module: str) -> Callable[[str], Any]:
    """Return the `__getattr__` of one of KFP's modules, which is asked for names that it does not have.

    Args:
        module: Its name in KFP.
    """

    def missing(name: str) -> Any:
        remedy = OLDER[module].get(name)
        if remedy is None:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        raise OlderNameError(
            f"`{module}.{name}` is of KFP 1; KFP 2 has no such name.",
            where=place_line(*caller()),
            remedy=remedy,
        )

    return missing
