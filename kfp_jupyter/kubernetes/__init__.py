"""Settings of tasks that only Kubernetes has, under the names of kfp-kubernetes 2.17.

Each function takes a task and returns it. Reference: https://kfp-kubernetes.readthedocs.io/
"""

from __future__ import annotations

from kfp_jupyter.kubernetes.config_map import use_config_map_as_env, use_config_map_as_volume
from kfp_jupyter.kubernetes.node import (
    add_node_affinity,
    add_node_affinity_json,
    add_node_selector,
    add_node_selector_json,
    add_toleration,
    add_toleration_json,
)
from kfp_jupyter.kubernetes.pod import (
    add_pod_annotation,
    add_pod_label,
    set_image_pull_policy,
    set_image_pull_secrets,
    set_security_context,
    set_timeout,
    use_field_path_as_env,
)
from kfp_jupyter.kubernetes.secret import use_secret_as_env, use_secret_as_volume
from kfp_jupyter.kubernetes.volume import (
    CreatePVC,
    DeletePVC,
    add_ephemeral_volume,
    empty_dir_mount,
    mount_pvc,
)

__all__ = [
    "CreatePVC",
    "DeletePVC",
    "add_ephemeral_volume",
    "add_node_affinity",
    "add_node_affinity_json",
    "add_node_selector",
    "add_node_selector_json",
    "add_pod_annotation",
    "add_pod_label",
    "add_toleration",
    "add_toleration_json",
    "empty_dir_mount",
    "mount_pvc",
    "set_image_pull_policy",
    "set_image_pull_secrets",
    "set_security_context",
    "set_timeout",
    "use_config_map_as_env",
    "use_config_map_as_volume",
    "use_field_path_as_env",
    "use_secret_as_env",
    "use_secret_as_volume",
]
