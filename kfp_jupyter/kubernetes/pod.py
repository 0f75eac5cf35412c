"""The pod of a task: its labels and annotations, its image, whom it runs as, and how long it may take.

Reference: https://kfp-kubernetes.readthedocs.io/
"""

from __future__ import annotations

from collections.abc import Sequence

from kfp_jupyter.dsl.pipeline_channel import PipelineChannel
from kfp_jupyter.dsl.pipeline_task import PipelineTask, SettingError
from kfp_jupyter.kubernetes.parameter import appended, given, named, put, text

POLICIES = ("Always", "Never", "IfNotPresent")


def add_pod_label(task: PipelineTask, label_key: str, label_value: str) -> PipelineTask:
    """Give a task's pod a label.

    Args:
        task: The task.
        label_key: The label.
        label_value: Its value.

    Raises:
        SettingError: One of them is no text.
    """
    return _metadata(task, "labels", text(label_key, task, "label_key"), label_value)


def add_pod_annotation(task: PipelineTask, annotation_key: str, annotation_value: str) -> PipelineTask:
    """Give a task's pod an annotation.

    Args:
        task: The task.
        annotation_key: The annotation.
        annotation_value: Its value.

    Raises:
        SettingError: One of them is no text.
    """
    return _metadata(task, "annotations", text(annotation_key, task, "annotation_key"), annotation_value)


def _metadata(task: PipelineTask, kind: str, key: str, value: str) -> PipelineTask:
    held = task.settings.kubernetes.get("podMetadata", {}).get(kind, {})
    return put(task, "podMetadata", **{kind: {**held, key: text(value, task, kind)}})


def use_field_path_as_env(task: PipelineTask, env_name: str, field_path: str) -> PipelineTask:
    """Give a task a field of its own pod as an environment variable.

    Args:
        task: The task.
        env_name: The variable.
        field_path: The field, such as `metadata.name`.

    Raises:
        SettingError: One of them is no text.
    """
    entry = {"name": text(env_name, task, "env_name"), "fieldPath": text(field_path, task, "field_path")}
    return appended(task, "fieldPathAsEnv", entry)


def set_image_pull_secrets(task: PipelineTask, secret_names: Sequence[str | PipelineChannel]) -> PipelineTask:
    """Let the cluster use Secrets to pull a task's image.

    Args:
        task: The task.
        secret_names: The Secrets; values of the run are possible.

    Raises:
        SettingError: One is no text.
    """
    return appended(task, "imagePullSecret", *(named("secretName", name, task) for name in secret_names))


def set_image_pull_policy(task: PipelineTask, policy: str) -> PipelineTask:
    """Say when a task's image is pulled.

    Args:
        task: The task.
        policy: `Always`, `Never` or `IfNotPresent`.

    Raises:
        SettingError: It is none of these.
    """
    if policy not in POLICIES:
        raise SettingError(
            f"`policy` is {policy!r}.", where=task.place(), remedy=f"Give {', '.join(POLICIES)}."
        )
    return task.set_kubernetes(imagePullPolicy=policy)


def set_security_context(
    task: PipelineTask,
    run_as_user: int | None = None,
    run_as_group: int | None = None,
    run_as_non_root: bool | None = None,
) -> PipelineTask:
    """Say whom a task's container runs as.

    Args:
        task: The task.
        run_as_user: The user's id.
        run_as_group: The group's id.
        run_as_non_root: Whether it must not be root.

    Raises:
        SettingError: Nothing is given, or an id is no number from 0 on.
    """
    if run_as_user is None and run_as_group is None and run_as_non_root is None:
        raise SettingError("It says nothing.", where=task.place(), remedy="Give at least one argument.")
    for name, held in (("run_as_user", run_as_user), ("run_as_group", run_as_group)):
        if held is not None and (type(held) is not int or held < 0):
            raise SettingError(
                f"`{name}` is {held!r}.", where=task.place(), remedy="Give an int from 0 on, or None."
            )
    if not isinstance(run_as_non_root, (bool, type(None))):
        raise SettingError(
            f"`run_as_non_root` is {run_as_non_root!r}.",
            where=task.place(),
            remedy="Give True, False or None.",
        )
    # Kubernetes' 64-bit numbers are texts in protobuf's JSON.
    user, group = (None if held is None else str(held) for held in (run_as_user, run_as_group))
    entries = given(runAsUser=user, runAsGroup=group, runAsNonRoot=run_as_non_root)
    return put(task, "securityContext", **entries)


def set_timeout(task: PipelineTask, seconds: int) -> PipelineTask:
    """Stop a task that takes longer.

    Args:
        task: The task.
        seconds: How long it may take; 0 means any time.

    Raises:
        SettingError: It is no number from 0 on.
    """
    return task.set_timeout(seconds)
