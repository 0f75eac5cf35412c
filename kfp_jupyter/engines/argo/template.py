"""A component with a task's settings as one template of Argo.

Script templates: https://argo-workflows.readthedocs.io/en/latest/fields/#scripttemplate. Outputs lie
side by side in a volume of the pod: its folder is there for any program and any user, and Argo takes large
artifacts from it without copying them. Inputs are mounted one by one, and elsewhere, because Kubernetes makes
the folders of what it mounts as root's.
"""

from __future__ import annotations

from typing import Any

from kfp_jupyter.engines.argo.container import container
from kfp_jupyter.engines.argo.errors import ManifestError
from kfp_jupyter.engines.argo.step import OVERFLOW, record_parameter, script
from kfp_jupyter.engines.argo.values import encode_value
from kfp_jupyter.engines.support import step_of
from kfp_jupyter.model.component import Component, InputSpec, OutputSpec, PythonStep
from kfp_jupyter.model.pipeline import Resources, Retry, TaskSettings
from kfp_jupyter.model.types import ArtifactType, ParameterType

INPUTS = "/tmp/kfp-jupyter-inputs"
OUTPUTS = "/tmp/kfp-jupyter-outputs"
_VOLUME = "kfp-jupyter-outputs"

SOURCE_LIMIT = 100_000
"""Bytes of a step's script: with its inputs it must stay under 128 KiB, what Linux gives one variable."""

DEFAULT_ACCELERATOR = "nvidia.com/gpu"


def template(
    name: str, component: Component, settings: TaskSettings, *, key_prefix: str, artifact_root: str = ""
) -> dict[str, Any]:
    """Return the template.

    Args:
        name: The template's name.
        component: What it runs.
        settings: Those of the tasks that share it.
        key_prefix: Where in the store its output artifacts go; Argo's variables allowed.
        artifact_root: The store's URI that keys begin at; empty if unknown.

    Raises:
        ManifestError: The component or a setting has no counterpart on Argo.
    """
    interface: list[InputSpec | OutputSpec] = [*component.inputs, *component.outputs]
    for spec in interface:
        if isinstance(spec.type, ArtifactType) and spec.type.is_list:
            raise _error(component, f"{spec.name!r} is a list of artifacts, which Argo cannot pass yet")
        if spec.type is ParameterType.TASK_FINAL_STATUS:
            raise _error(component, f"{spec.name!r} is a task's final status, which Argo cannot pass yet")
    made: dict[str, Any] = {
        "name": name,
        "inputs": _inputs(component),
        "outputs": _outputs(component, key_prefix),
    }
    step = step_of(component)
    image = settings.image or (step.base_image if isinstance(step, PythonStep) else step.image)
    pod: dict[str, Any] = {"image": image}
    if isinstance(step, PythonStep):
        source = script(component, step, key_prefix, artifact_root)
        if len(source.encode()) > SOURCE_LIMIT:
            size = len(source.encode()) // 1000
            raise _error(
                component, f"its source takes {size} kB; on Argo it may take {SOURCE_LIMIT // 1000} kB"
            )
        pod |= {"command": ["python3"], "source": source}
        env = settings.env
    else:
        pod |= container(component, step)
        env = tuple(dict((*step.env, *settings.env)).items())
    pod |= _present("env", [{"name": key, "value": value} for key, value in env])
    pod |= _present("resources", _resources(component, settings.resources))
    if component.outputs:
        made["volumes"] = [{"name": _VOLUME, "emptyDir": {}}]
        pod["volumeMounts"] = [{"name": _VOLUME, "mountPath": OUTPUTS}]
    made["script" if isinstance(step, PythonStep) else "container"] = pod
    if settings.retry is not None and settings.retry.max_count > 0:
        made["retryStrategy"] = _retry_strategy(component, settings.retry)
    if settings.timeout_seconds > 0:
        # Of the pod, so that each attempt has its own; it counts from when a machine has taken the pod.
        made["activeDeadlineSeconds"] = max(1, round(settings.timeout_seconds))
    return {key: value for key, value in made.items() if value}


def _inputs(component: Component) -> dict[str, Any]:
    parameters, artifacts = [], []
    for spec in component.inputs:
        if isinstance(spec.type, ArtifactType):
            artifacts.append(
                {"name": spec.name, "path": f"{INPUTS}/{spec.name}"} | _present("optional", spec.optional)
            )
            if isinstance(component.implementation, PythonStep):
                parameters.append(
                    {"name": record_parameter(spec.name)} | ({"default": ""} if spec.optional else {})
                )
        else:
            parameters.append({"name": spec.name} | _default(spec))
    return _present("parameters", parameters) | _present("artifacts", artifacts)


def _default(spec: InputSpec) -> dict[str, str]:
    # Empty text is no JSON: it says that the input was not given.
    if not spec.optional:
        return {}
    return {"default": "" if spec.default is None else encode_value(spec.default)}


def _outputs(component: Component, key_prefix: str) -> dict[str, Any]:
    parameters, artifacts = [], []
    python = isinstance(component.implementation, PythonStep)
    for spec in component.outputs:
        if isinstance(spec.type, ArtifactType):
            artifacts.append(_artifact(spec.name, key_prefix))
            if python:
                record = record_parameter(spec.name)
                parameters.append({"name": record, "valueFrom": {"path": f"{OUTPUTS}/{record}"}})
        else:
            parameters.append({"name": spec.name, "valueFrom": {"path": f"{OUTPUTS}/{spec.name}"}})
    if artifacts and python:
        artifacts.append(_artifact(OVERFLOW, key_prefix) | {"optional": True})
    return _present("parameters", parameters) | _present("artifacts", artifacts)


def _artifact(name: str, key_prefix: str) -> dict[str, Any]:
    # A key alone lies in the store that the cluster has chosen, of whatever kind that is.
    return {
        "name": name,
        "path": f"{OUTPUTS}/{name}",
        "archive": {"none": {}},
        "s3": {"key": f"{key_prefix}/{name}"},
    }


def _resources(component: Component, resources: Resources) -> dict[str, Any]:
    requests = _present("cpu", resources.cpu_request) | _present("memory", resources.memory_request)
    limits = _present("cpu", resources.cpu_limit) | _present("memory", resources.memory_limit)
    if resources.accelerator_count and resources.accelerator_count != "0":
        kind = resources.accelerator_type or DEFAULT_ACCELERATOR
        if "/" not in kind:
            raise _error(
                component,
                f"{kind!r} is not how Kubernetes names an accelerator",
                f"Use a resource name such as {DEFAULT_ACCELERATOR}.",
            )
        limits[kind] = resources.accelerator_count
    return _present("requests", requests) | _present("limits", limits)


def _retry_strategy(component: Component, retry: Retry) -> dict[str, Any]:
    # Always: a pod that was evicted is an error to Argo, not a failure, and is to be tried again as well.
    strategy: dict[str, Any] = {"limit": str(retry.max_count), "retryPolicy": "Always"}
    if retry.backoff_seconds > 0:
        if retry.backoff_factor != int(retry.backoff_factor):
            raise _error(
                component,
                f"its retries wait longer by a factor of {retry.backoff_factor}; Argo takes whole factors",
                "Set backoff_factor to a whole number.",
            )
        backoff = {"duration": f"{retry.backoff_seconds:g}s", "factor": str(int(retry.backoff_factor))}
        longest = retry.backoff_seconds * retry.backoff_factor ** (retry.max_count - 1)
        if longest > retry.max_backoff_seconds:
            # Only where it matters: Argo before 3.6 does not know it.
            backoff["cap"] = f"{retry.max_backoff_seconds:g}s"
        strategy["backoff"] = backoff
    return strategy


def _present(key: str, value: Any) -> dict[str, Any]:
    return {key: value} if value else {}


def _error(
    component: Component, what: str, remedy: str = "It runs on this machine: `--target local`."
) -> ManifestError:
    return ManifestError(f"{what[0].upper()}{what[1:]}.", where=f"component {component.name}", remedy=remedy)
