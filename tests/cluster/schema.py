"""A strict check of the Workflows that our manifests write: the part of Argo's fields we use, and Argo's own
rules.

`unknown_fields` is what the API server's `fieldValidation=Strict` refuses; `problems` is what Argo's
validation (`workflow/validate/validate.go`) and its CRD's rules would object to, found the same way: names,
references, variables.
"""

from __future__ import annotations

import json
import re
from typing import Any

from tests.cluster.depends import operands

_ANY = None
_NAMED_VALUE = {"name": _ANY, "value": _ANY}
_STORED = {
    "name": _ANY,
    "path": _ANY,
    "optional": _ANY,
    "archive": {"none": {}},
    "s3": {"key": _ANY},
    "from": _ANY,
}
_CONTAINER = {
    "image": _ANY,
    "command": _ANY,
    "args": _ANY,
    "env": [_NAMED_VALUE],
    "resources": {"requests": {"*": _ANY}, "limits": {"*": _ANY}},
    "volumeMounts": [{"name": _ANY, "mountPath": _ANY}],
}
_TASK = {
    "name": _ANY,
    "template": _ANY,
    "depends": _ANY,
    "arguments": {"parameters": [_NAMED_VALUE], "artifacts": [_STORED]},
}
_TEMPLATE = {
    "name": _ANY,
    "inputs": {"parameters": [{**_NAMED_VALUE, "default": _ANY}], "artifacts": [_STORED]},
    "outputs": {
        "parameters": [{"name": _ANY, "valueFrom": {"path": _ANY, "default": _ANY}}],
        "artifacts": [_STORED],
    },
    "dag": {"failFast": _ANY, "tasks": [_TASK]},
    "script": {**_CONTAINER, "source": _ANY},
    "container": _CONTAINER,
    "activeDeadlineSeconds": _ANY,
    "volumes": [{"name": _ANY, "emptyDir": {}}],
    "retryStrategy": {
        "limit": _ANY,
        "retryPolicy": _ANY,
        "backoff": {"duration": _ANY, "factor": _ANY, "cap": _ANY},
    },
}
FIELDS = {
    "apiVersion": _ANY,
    "kind": _ANY,
    "metadata": {"name": _ANY, "namespace": _ANY, "labels": {"*": _ANY}, "annotations": {"*": _ANY}},
    "spec": {
        "entrypoint": _ANY,
        "arguments": {"parameters": [_NAMED_VALUE]},
        "podMetadata": {"labels": {"*": _ANY}},
        "serviceAccountName": _ANY,
        "activeDeadlineSeconds": _ANY,
        "ttlStrategy": {"secondsAfterCompletion": _ANY},
        "archiveLogs": _ANY,
        "parallelism": _ANY,
        "templates": [_TEMPLATE],
    },
}

_FIELD_NAME = re.compile(r"[a-zA-Z0-9][-a-zA-Z0-9]{0,127}")
_VALUE_NAME = re.compile(r"[-a-zA-Z0-9_]+")
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
_LABEL_KEY = re.compile(r"([a-z0-9.-]{1,253}/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_QUANTITY = re.compile(r"\d+(\.\d+)?(m|k|Ki|M|Mi|G|Gi|T|Ti)?")
_LOOKED_UP = re.compile(r"(tasks|inputs|outputs|workflow)(\.\w+|\['[^']+'\])+")
_TAG = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)


def unknown_fields(item: Any, fields: Any = FIELDS, path: str = "") -> list[str]:
    """Return a sentence for each field that the resource does not have."""
    if isinstance(fields, list):
        return [
            found for n, held in enumerate(item) for found in unknown_fields(held, fields[0], f"{path}[{n}]")
        ]
    if fields is _ANY:
        return []
    found = []
    for key, held in item.items():
        place = f"{path}.{key}".lstrip(".")
        if key in fields or "*" in fields:
            found += unknown_fields(held, fields.get(key, fields.get("*")), place)
        else:
            found.append(f'unknown field "{place}"')
    return found


def problems(workflow: dict[str, Any]) -> list[str]:
    """Return a sentence for each rule of Kubernetes or Argo that the Workflow breaks."""
    found = []
    metadata, spec = workflow["metadata"], workflow["spec"]
    if not _NAME.fullmatch(metadata["name"]):
        found.append(f"metadata.name {metadata['name']!r} is no DNS label")
    for key, value in [
        *metadata.get("labels", {}).items(),
        *spec.get("podMetadata", {}).get("labels", {}).items(),
    ]:
        if not _LABEL_KEY.fullmatch(key) or not _LABEL_VALUE.fullmatch(value):
            found.append(f"label {key}: {value!r}")
        if key == "pipeline/runid":
            found.append("label pipeline/runid: a KFP server would delete this workflow")
    annotations = metadata.get("annotations", {})
    found += [f"annotation {key}" for key in annotations if not _LABEL_KEY.fullmatch(key)]
    if sum(len(key) + len(value) for key, value in annotations.items()) > 262_144:
        found.append("annotations are larger than 256 KiB")
    templates = {item["name"]: item for item in spec["templates"]}
    if len(templates) != len(spec["templates"]):
        found.append("two templates have one name")
    if spec["entrypoint"] not in templates:
        found.append(f"entrypoint {spec['entrypoint']!r} undefined")
    given = {
        f"workflow.parameters.{item['name']}" for item in spec.get("arguments", {}).get("parameters", [])
    }
    for template in spec["templates"]:
        place = f"templates.{template['name']}"
        found += [f"{place}: {problem}" for problem in _template_problems(template, templates, given)]
    return found


def _template_problems(template: dict[str, Any], templates: dict[str, Any], given: set[str]) -> list[str]:
    found = [] if _FIELD_NAME.fullmatch(template["name"]) else ["bad name"]
    kinds = [kind for kind in ("dag", "script", "container") if kind in template]
    if len(kinds) != 1:
        return [*found, f"exactly one of dag, script, container, not {kinds}"]
    scope = given | {"workflow.name", "workflow.namespace"}
    if kinds[0] == "dag":
        return found + _dag_problems(template["dag"]["tasks"], templates, scope)
    scope.add("pod.name")
    for side in ("inputs", "outputs"):
        for kind in ("parameters", "artifacts"):
            names = [item["name"] for item in template.get(side, {}).get(kind, [])]
            found += [f"{side}.{kind} bad name {name!r}" for name in names if not _VALUE_NAME.fullmatch(name)]
            if len(set(names)) != len(names):
                found.append(f"{side}.{kind} names one twice")
            scope |= {f"{side}.{kind}.{name}" for name in names} | {
                f"{side}.{kind}.{name}.path" for name in names
            }
    body = template[kinds[0]]
    if not body.get("command"):
        found.append("no command: Argo would look the image up")
    if not body.get("image"):
        found.append("no image")
    for amounts in body.get("resources", {}).values():
        found += [
            f"quantity {key}: {amount!r}"
            for key, amount in amounts.items()
            if not _QUANTITY.fullmatch(amount)
        ]
    found += _unresolved(template, scope)
    if len(json.dumps(template)) > 131_072:
        found.append("larger than 128 KiB")
    return found


def _dag_problems(tasks: list[dict[str, Any]], templates: dict[str, Any], scope: set[str]) -> list[str]:
    found = []
    names = {task["name"] for task in tasks}
    if len(names) != len(tasks):
        found.append("two tasks have one name")
    for task in tasks:
        place = f"tasks.{task['name']}"
        if not _FIELD_NAME.fullmatch(task["name"]) or task["name"][0].isdigit():
            found.append(f"{place}: bad name")
        template = templates.get(task["template"])
        if template is None:
            found.append(f"{place}: template name {task['template']!r} undefined")
            continue
        waits_for = set(operands(task.get("depends", "")))
        if waits_for - names:
            found.append(f"{place}: dependency {sorted(waits_for - names)} not defined")
        reach = _ancestors(task["name"], {held["name"]: held for held in tasks}) & names
        outputs = set()
        for held in tasks:
            if held["name"] in reach:
                for kind in ("parameters", "artifacts"):
                    for item in templates[held["template"]].get("outputs", {}).get(kind, []):
                        outputs.add(f"tasks.{held['name']}.outputs.{kind}.{item['name']}")
        found += [f"{place}: {problem}" for problem in _unresolved(task, scope | outputs)]
        for kind in ("parameters", "artifacts"):
            supplied = {item["name"] for item in task.get("arguments", {}).get(kind, [])}
            wanted = template.get("inputs", {}).get(kind, [])
            needed = {item["name"] for item in wanted if not {"default", "s3", "optional"} & item.keys()}
            if needed - supplied:
                found.append(f"{place}: inputs.{kind} {sorted(needed - supplied)} not supplied")
            if supplied - {item["name"] for item in wanted}:
                found.append(f"{place}: inputs.{kind} {sorted(supplied)} are not all known")
    return found


def _ancestors(name: str, tasks: dict[str, Any]) -> set[str]:
    found: set[str] = set()
    left = list(operands(tasks[name].get("depends", "")))
    while left:
        other = left.pop()
        if other not in found and other in tasks:
            found.add(other)
            left += operands(tasks[other].get("depends", ""))
    return found


def _unresolved(item: Any, scope: set[str]) -> list[str]:
    found = []
    for tag in _TAG.findall(json.dumps(item)):
        name = tag.strip()
        if name.startswith("="):
            # The one name that is looked up, in whatever calls it stands.
            looked_up = _LOOKED_UP.search(name)
            name = re.sub(r"\['([^']+)'\]", r".\1", looked_up[0]) if looked_up else name
        if name not in scope:
            found.append(f"failed to resolve {{{{{name}}}}}")
    return found
