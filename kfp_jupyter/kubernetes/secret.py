"""Secrets in a task: as environment variables, or as files.

Reference: https://kfp-kubernetes.readthedocs.io/
"""

from __future__ import annotations

from collections.abc import Mapping

from kfp_jupyter.dsl.pipeline_channel import PipelineChannel
from kfp_jupyter.dsl.pipeline_task import PipelineTask
from kfp_jupyter.kubernetes.parameter import appended, named, text


def use_secret_as_env(
    task: PipelineTask,
    secret_name: str | PipelineChannel,
    secret_key_to_env: Mapping[str, str],
    optional: bool = False,
) -> PipelineTask:
    """Give a task the values of a Secret as environment variables.

    Args:
        task: The task.
        secret_name: The Secret; a value of the run is possible.
        secret_key_to_env: The variable for each key: `{"password": "PASSWORD"}`.
        optional: Whether the Secret may be missing.

    Raises:
        SettingError: An argument is of the wrong type.
    """
    keys = [
        {"secretKey": text(key, task, "secret_key_to_env"), "envVar": text(name, task, "secret_key_to_env")}
        for key, name in secret_key_to_env.items()
    ]
    entry = {**named("secretName", secret_name, task), "keyToEnv": keys, "optional": bool(optional)}
    return appended(task, "secretAsEnv", entry)


def use_secret_as_volume(
    task: PipelineTask, secret_name: str | PipelineChannel, mount_path: str, optional: bool = False
) -> PipelineTask:
    """Give a task the values of a Secret as files in a folder.

    Args:
        task: The task.
        secret_name: The Secret; a value of the run is possible.
        mount_path: The folder.
        optional: Whether the Secret may be missing.

    Raises:
        SettingError: An argument is of the wrong type.
    """
    path = text(mount_path, task, "mount_path")
    entry = {**named("secretName", secret_name, task), "mountPath": path, "optional": bool(optional)}
    return appended(task, "secretAsVolume", entry)
