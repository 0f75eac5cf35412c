"""ConfigMaps in a task: as environment variables, or as files.

Reference: https://kfp-kubernetes.readthedocs.io/
"""

from __future__ import annotations

from collections.abc import Mapping

from kfp_jupyter.dsl.pipeline_channel import PipelineChannel
from kfp_jupyter.dsl.pipeline_task import PipelineTask
from kfp_jupyter.kubernetes.parameter import appended, named, text


def use_config_map_as_env(
    task: PipelineTask,
    config_map_name: str | PipelineChannel,
    config_map_key_to_env: Mapping[str, str],
    optional: bool = False,
) -> PipelineTask:
    """Give a task the values of a ConfigMap as environment variables.

    Args:
        task: The task.
        config_map_name: The ConfigMap; a value of the run is possible.
        config_map_key_to_env: The variable for each key: `{"level": "LOG_LEVEL"}`.
        optional: Whether the ConfigMap may be missing.

    Raises:
        SettingError: An argument is of the wrong type.
    """
    what = "config_map_key_to_env"
    keys = [
        {"configMapKey": text(key, task, what), "envVar": text(name, task, what)}
        for key, name in config_map_key_to_env.items()
    ]
    entry = {**named("configMapName", config_map_name, task), "keyToEnv": keys, "optional": bool(optional)}
    return appended(task, "configMapAsEnv", entry)


def use_config_map_as_volume(
    task: PipelineTask, config_map_name: str | PipelineChannel, mount_path: str, optional: bool = False
) -> PipelineTask:
    """Give a task the values of a ConfigMap as files in a folder.

    Args:
        task: The task.
        config_map_name: The ConfigMap; a value of the run is possible.
        mount_path: The folder.
        optional: Whether the ConfigMap may be missing.

    Raises:
        SettingError: An argument is of the wrong type.
    """
    path = text(mount_path, task, "mount_path")
    entry = {**named("configMapName", config_map_name, task), "mountPath": path, "optional": bool(optional)}
    return appended(task, "configMapAsVolume", entry)
