"""What a node says that its task was given and gave out, in the terms of the task's component."""

from __future__ import annotations

from kfp_jupyter.engines.argo.nodes import Node
from kfp_jupyter.engines.argo.step import OVERFLOW, record_parameter
from kfp_jupyter.engines.argo.values import decode_value
from kfp_jupyter.model.component import Component, PythonStep
from kfp_jupyter.model.run import ArtifactRecord
from kfp_jupyter.model.types import ArtifactType, Json, ParameterType

_RECORD_SUFFIX = record_parameter("")


def inputs_of(node: Node, component: Component | None) -> dict[str, Json]:
    """Return the parameters that an attempt was given; those left to their default are left out."""
    given = _parameters(node, "inputs")
    if component is not None:
        wanted = {spec.name for spec in component.inputs if not isinstance(spec.type, ArtifactType)}
        given = {name: text for name, text in given.items() if name in wanted}
    return {
        name: decode_value(text) for name, text in given.items() if text and not name.endswith(_RECORD_SUFFIX)
    }


def outputs_of(node: Node, component: Component | None) -> dict[str, Json]:
    """Return the output parameters of an attempt."""
    made = _parameters(node, "outputs")
    if component is None:
        return {name: decode_value(text) for name, text in made.items() if not name.endswith(_RECORD_SUFFIX)}
    python = isinstance(component.implementation, PythonStep)
    return {
        # A container writes a string as it is, our steps write JSON.
        spec.name: decode_value(made[spec.name])
        if python or spec.type is not ParameterType.STRING
        else made[spec.name]
        for spec in component.outputs
        if spec.name in made and not isinstance(spec.type, ArtifactType)
    }


def artifacts_of(node: Node, component: Component | None, root: str) -> dict[str, tuple[ArtifactRecord, ...]]:
    """Return an attempt's output artifacts: as the step described them, else by their keys in the store.

    Args:
        node: The attempt's node.
        component: What it ran.
        root: The URI that keys begin at; empty if it is not known.
    """
    made = _parameters(node, "outputs")
    types = {spec.name: spec.type for spec in component.outputs} if component else {}
    found: dict[str, tuple[ArtifactRecord, ...]] = {}
    for item in (node.get("outputs") or {}).get("artifacts") or []:
        name = item["name"]
        described = decode_value(made.get(record_parameter(name), "null"))
        if isinstance(described, dict):
            type_ = str((described.get("type") or {}).get("schemaTitle") or "system.Artifact")
            uri, metadata = str(described.get("uri") or ""), described.get("metadata") or {}
            found[name] = (ArtifactRecord(type_, uri, metadata=metadata),)
        elif name != OVERFLOW:
            declared = types.get(name)
            title = declared.schema_title if isinstance(declared, ArtifactType) else "system.Artifact"
            key = next(
                (held["key"] for held in item.values() if isinstance(held, dict) and "key" in held), ""
            )
            found[name] = (ArtifactRecord(title, f"{root}/{key}" if root and key else key),)
    return found


def _parameters(node: Node, side: str) -> dict[str, str]:
    items = (node.get(side) or {}).get("parameters") or []
    return {item["name"]: str(item.get("value", "")) for item in items}
