"""Volumes in a task: claims that are made, mounted and deleted, and volumes that live as long as the task.

A claim is made and deleted by tasks whose image KFP's compiler knows (`argostub/createpvc`): its servers run
them themselves, without a container.
Reference: https://kfp-kubernetes.readthedocs.io/
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kfp_jupyter.dsl.base_component import BaseComponent
from kfp_jupyter.dsl.pipeline_channel import PipelineChannel
from kfp_jupyter.dsl.pipeline_task import PipelineTask
from kfp_jupyter.kubernetes.parameter import appended, given, parameter, text
from kfp_jupyter.model.component import Component, ContainerStep, InputSpec, OutputSpec
from kfp_jupyter.model.types import Json, ParameterType

_API = "https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/"
_CLAIM = f"<{_API}persistent-volume-claim-v1/#PersistentVolumeClaim>`_."
_CLAIM_SPEC = f"<{_API}persistent-volume-claim-v1/#PersistentVolumeClaimSpec>`_."

# These words are those of kfp-kubernetes (Apache-2.0) as they are, because they stand in the documents.
_DESCRIPTIONS = {
    "access_modes": "Values for ``PersistentVolumeClaim.spec.accessModes``.",
    "size": "The size of storage requested by the PVC that will be\n"
    "provisioned. For example, ``'5Gi'``. Corresponds to\n"
    f"`PersistentVolumeClaim.spec.resources.requests.storage\n{_CLAIM_SPEC}",
    "pvc_name": "Name of the PVC. Corresponds to\n"
    f"`PersistentVolumeClaim.metadata.name\n{_CLAIM}\n"
    "Only one of ``pvc_name`` and ``pvc_name_suffix`` can be provided.",
    "pvc_name_suffix": "Prefix to use for a dynamically generated name, which\n"
    "will take the form ``<argo-workflow-name>-<pvc_name_suffix>``. Only\n"
    "one of ``pvc_name`` and ``pvc_name_suffix`` can be provided.",
    "storage_class_name": "Name of StorageClass from which to provision the PV\n"
    "to back the PVC. ``None`` indicates to use the cluster's default\n"
    "storage_class_name. Set to ``''`` for a statically specified PVC.",
    "volume_name": "Pre-existing PersistentVolume that should back the\n"
    "provisioned PersistentVolumeClaim. Used for statically\n"
    "specified PV only. Corresponds to\n"
    f"`PersistentVolumeClaim.spec.volumeName\n{_CLAIM_SPEC}",
    "annotations": "Annotations for the PVC's metadata. Corresponds to\n"
    f"`PersistentVolumeClaim.metadata.annotations\n{_CLAIM}",
    "data_source": "Specifies the data source for the PVC. This can be used to\n"
    "create a PVC from a VolumeSnapshot or to clone an existing PVC.\n"
    "Should be a dictionary with ``'apiGroup'``, ``'kind'``, and\n"
    "``'name'`` keys. For example:\n"
    "``{'apiGroup': 'snapshot.storage.k8s.io', 'kind': 'VolumeSnapshot', 'name': 'my-snapshot'}``.\n"
    f"Corresponds to `PersistentVolumeClaim.spec.dataSource\n{_CLAIM_SPEC}",
}
_DELETED = (
    "Name of the PVC to delete. Supports passing a runtime-generated name, such as a name provided by "
    "``kubernetes.CreatePvcOp().outputs['name']``."
)


def _input(name: str, type_: ParameterType, **more: Any) -> InputSpec:
    return InputSpec(name, type_, description=_DESCRIPTIONS[name], **more)


CreatePVC = BaseComponent(
    Component(
        "createpvc",
        (
            _input("access_modes", ParameterType.LIST),
            _input("size", ParameterType.STRING),
            _input("pvc_name", ParameterType.STRING, optional=True),
            _input("pvc_name_suffix", ParameterType.STRING, optional=True),
            _input("storage_class_name", ParameterType.STRING, optional=True, default=""),
            _input("volume_name", ParameterType.STRING, optional=True),
            _input("annotations", ParameterType.STRUCT, optional=True),
            _input("data_source", ParameterType.STRUCT, optional=True),
        ),
        (OutputSpec("name", ParameterType.STRING),),
        ContainerStep("argostub/createpvc"),
        "Create a PersistentVolumeClaim, which can be used by downstream tasks.",
    )
)
"""Makes a PersistentVolumeClaim, whose name is its output."""

DeletePVC = BaseComponent(
    Component(
        "deletepvc",
        (InputSpec("pvc_name", ParameterType.STRING, description=_DELETED),),
        (),
        ContainerStep("argostub/deletepvc"),
        "Delete a PersistentVolumeClaim.",
    )
)
"""Deletes a PersistentVolumeClaim."""


def mount_pvc(
    task: PipelineTask, pvc_name: str | PipelineChannel, mount_path: str, sub_path: str = ""
) -> PipelineTask:
    """Mount the volume of a claim into a task's container.

    Args:
        task: The task.
        pvc_name: The PersistentVolumeClaim; a value of the run is possible, such as `CreatePVC`'s output.
        mount_path: The folder.
        sub_path: A folder inside the volume that is mounted instead of the whole.

    Raises:
        SettingError: An argument is of the wrong type.
    """
    entry: dict[str, Json] = {
        "pvcNameParameter": parameter(pvc_name, task, "pvc_name"),
        "mountPath": text(mount_path, task, "mount_path"),
        **({"subPath": text(sub_path, task, "sub_path")} if sub_path else {}),
    }
    # The older fields for the same: a constant, or the reference beside the others.
    entry["constant" if isinstance(pvc_name, str) else ""] = pvc_name
    return appended(task, "pvcMount", entry)


def add_ephemeral_volume(
    task: PipelineTask,
    volume_name: str,
    mount_path: str,
    access_modes: Sequence[str],
    size: str,
    storage_class_name: str | None = None,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
) -> PipelineTask:
    """Give a task a volume that is made for it and deleted with it.

    Args:
        task: The task.
        volume_name: The volume's name.
        mount_path: The folder.
        access_modes: How it may be used, such as `ReadWriteOnce`.
        size: Its size as a Kubernetes quantity (`5Gi`).
        storage_class_name: What provides it; None takes the cluster's default.
        labels: Labels of its claim.
        annotations: Annotations of its claim.

    Raises:
        SettingError: A name, path or size is no text.
    """
    metadata = {name: dict(held) for name, held in (("labels", labels), ("annotations", annotations)) if held}
    return appended(
        task,
        "genericEphemeralVolume",
        {
            "volumeName": text(volume_name, task, "volume_name"),
            "mountPath": text(mount_path, task, "mount_path"),
            "accessModes": [text(mode, task, "access_modes") for mode in access_modes],
            "size": text(size, task, "size"),
            **({"defaultStorageClass": True} if storage_class_name is None else {}),
            **given(storageClassName=storage_class_name, metadata=metadata or None),
        },
    )


def empty_dir_mount(
    task: PipelineTask,
    volume_name: str,
    mount_path: str,
    medium: str | None = None,
    size_limit: str | None = None,
) -> PipelineTask:
    """Give a task an empty folder that lives as long as its pod.

    Args:
        task: The task.
        volume_name: The volume's name.
        mount_path: The folder.
        medium: `Memory` or `HugePages`; None means the node's disk.
        size_limit: The largest size as a Kubernetes quantity; None means no limit.

    Raises:
        SettingError: A name or path is no text.
    """
    entry = {
        "volumeName": text(volume_name, task, "volume_name"),
        "mountPath": text(mount_path, task, "mount_path"),
        **given(medium=medium, sizeLimit=size_limit),
    }
    return appended(task, "emptyDirMounts", entry)
