"""On which nodes a task may run: by their labels, their affinity, and the taints that it tolerates.

Reference: https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kfp_jupyter.dsl.pipeline_channel import PipelineChannel
from kfp_jupyter.dsl.pipeline_task import PipelineTask, SettingError
from kfp_jupyter.kubernetes.parameter import appended, given, parameter, put, text
from kfp_jupyter.model.types import Json

OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt")
EFFECTS = ("NoExecute", "NoSchedule", "PreferNoSchedule")


def add_node_selector(task: PipelineTask, label_key: str, label_value: str) -> PipelineTask:
    """Let a task run only on nodes with a label.

    Args:
        task: The task.
        label_key: The label.
        label_value: Its value.

    Raises:
        SettingError: One of them is no text.
    """
    labels = {
        **task.settings.kubernetes.get("nodeSelector", {}).get("labels", {}),
        text(label_key, task, "label_key"): text(label_value, task, "label_value"),
    }
    return put(task, "nodeSelector", labels=labels)


def add_node_selector_json(
    task: PipelineTask, node_selector_json: Mapping[str, str] | PipelineChannel
) -> PipelineTask:
    """Let a task run only on nodes with labels that are given together.

    Args:
        task: The task.
        node_selector_json: The labels; a value of the run is possible.

    Raises:
        SettingError: It is no dict.
    """
    return put(
        task,
        "nodeSelector",
        nodeSelectorJson=parameter(node_selector_json, task, "node_selector_json", (dict,)),
    )


def add_node_affinity(
    task: PipelineTask,
    match_expressions: Sequence[Mapping[str, Any]] | None = None,
    match_fields: Sequence[Mapping[str, Any]] | None = None,
    weight: int | None = None,
) -> PipelineTask:
    """Let a task run only, or by preference, on nodes that match.

    Args:
        task: The task.
        match_expressions: What their labels must match: `{"key": …, "operator": …, "values": […]}`.
        match_fields: What their fields must match; the same.
        weight: From 1 to 100 for a preference; None for a requirement.

    Raises:
        SettingError: A term has no key, an operator is none, or the weight is out of range.
    """
    if weight is not None and not 1 <= weight <= 100:
        raise SettingError(f"`weight` is {weight!r}.", where=task.place(), remedy="Give 1 to 100, or None.")
    terms = {
        name: [_requirement(held, task, name) for held in held_terms]
        for name, held_terms in (("matchExpressions", match_expressions), ("matchFields", match_fields))
        if held_terms
    }
    return appended(task, "nodeAffinity", {**terms, **given(weight=weight)})


def add_node_affinity_json(
    task: PipelineTask, node_affinity_json: Mapping[str, Any] | PipelineChannel
) -> PipelineTask:
    """Give a task a node affinity in Kubernetes' own shape; one that was given so before is replaced.

    Args:
        task: The task.
        node_affinity_json: The affinity; a value of the run is possible.

    Raises:
        SettingError: It is no dict, or has fields that an affinity does not have.
    """
    if isinstance(node_affinity_json, dict):
        known = {
            "requiredDuringSchedulingIgnoredDuringExecution",
            "preferredDuringSchedulingIgnoredDuringExecution",
        }
        for name in node_affinity_json:
            if name not in known:
                raise SettingError(
                    f"A node affinity has no field {name!r}.",
                    where=task.place(),
                    remedy=f"It has: {', '.join(sorted(known))}.",
                )
    held = parameter(node_affinity_json, task, "node_affinity_json", (dict,))
    terms = [
        term for term in task.settings.kubernetes.get("nodeAffinity", []) if "nodeAffinityJson" not in term
    ]
    return task.set_kubernetes(nodeAffinity=[*terms, {"nodeAffinityJson": held}])


def add_toleration(
    task: PipelineTask,
    key: str | None = None,
    operator: str | None = None,
    value: str | None = None,
    effect: str | None = None,
    toleration_seconds: int | None = None,
) -> PipelineTask:
    """Let a task run on nodes with a taint.

    Args:
        task: The task.
        key: The taint; None means every one.
        operator: `Equal` or `Exists`.
        value: Its value.
        effect: `NoExecute`, `NoSchedule` or `PreferNoSchedule`; None means every one.
        toleration_seconds: How long the task stays on a node that gets the taint; None means for ever.

    Raises:
        SettingError: The operator or effect is none of these.
    """
    for name, held, known in (("operator", operator, ("Equal", "Exists")), ("effect", effect, EFFECTS)):
        if held and held not in known:
            raise SettingError(
                f"`{name}` is {held!r}.", where=task.place(), remedy=f"Give {', '.join(known)}, or None."
            )
    seconds = None if toleration_seconds is None else str(int(toleration_seconds))
    named = {"key": key, "operator": operator, "value": value, "effect": effect}
    entry = {name: held for name, held in named.items() if held}
    return appended(task, "tolerations", {**entry, **given(tolerationSeconds=seconds)})


def add_toleration_json(
    task: PipelineTask, toleration_json: Mapping[str, Any] | Sequence[Mapping[str, Any]] | PipelineChannel
) -> PipelineTask:
    """Let a task run on nodes with taints, given as a dict or a list of dicts.

    Args:
        task: The task.
        toleration_json: The toleration or tolerations; a value of the run is possible.

    Raises:
        SettingError: It is none of these.
    """
    if isinstance(toleration_json, PipelineChannel):
        held = parameter(toleration_json, task, "toleration_json")
        return appended(task, "tolerations", {"tolerationJson": held})
    several = toleration_json if isinstance(toleration_json, list) else [toleration_json]
    names = ("key", "operator", "value", "effect", "toleration_seconds")
    for toleration in several:
        if not isinstance(toleration, dict):
            raise SettingError(
                f"`toleration_json` holds {toleration!r}.", where=task.place(), remedy="Give a dict."
            )
        add_toleration(task, **{name: toleration.get(name) for name in names})
    return task


def _requirement(held: Mapping[str, Any], task: PipelineTask, what: str) -> dict[str, Json]:
    key, operator = held.get("key"), held.get("operator")
    if not key or operator not in OPERATORS:
        raise SettingError(
            f"A term of `{what}` has the key {key!r} and the operator {operator!r}.",
            where=task.place(),
            remedy=f"Give both; operators are {', '.join(OPERATORS)}.",
        )
    values = list(held.get("values") or [])
    return {"key": key, "operator": operator, **({"values": values} if values else {})}
