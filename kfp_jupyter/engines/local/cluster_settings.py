"""Settings that only Kubernetes has, as far as one machine can honour them.

Keys of secrets and config maps become environment variables from files that the user writes, one JSON object
each: `<data>/secrets/NAME.json`, `<data>/config-maps/NAME.json`. What is mounted is the matter of `volumes`.
Everything else is said before the run (`notices`).
Reference: https://kfp-kubernetes.readthedocs.io/
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from kfp_jupyter.engines.local.given import GivenError, value_of
from kfp_jupyter.engines.local.scope import Scope
from kfp_jupyter.model.types import Json
from kfp_jupyter.model.value import Constant, PipelineInput, TaskOutput, Value

POD_NAME = "metadata.name"
"""The field of a pod that has a meaning here: the run and the task's path."""

NAME_FIELDS = {"pvcMount": "pvcName", "secretAsVolume": "secretName", "configMapAsVolume": "configMapName"}
"""Under what settings hold the name of what they mount."""

_KINDS = (
    ("secretAsEnv", "secretName", "secretKey", "secrets", "secret"),
    ("configMapAsEnv", "configMapName", "configMapKey", "config-maps", "config map"),
)


_NAMED = {"pvcName": "claim", "secretName": "secret", "configMapName": "config map"}


def variables(settings: Mapping[str, Json], data: Path, scope: Scope, path: str) -> Iterator[tuple[str, str]]:
    """Yield the environment variables that a task's settings take from secrets, config maps and its pod.

    Args:
        settings: The settings.
        data: The folder of all runs' data.
        scope: Where values that flow come from.
        path: The task's path.

    Raises:
        GivenError: A secret or config map, or a key in it, is not there and not optional.
    """
    for held, folder, kind in _asked(settings):
        name = name_of(held, held["name"], scope)
        contents = read(data / folder / f"{name}.json")
        if contents is None and not held["optional"]:
            raise GivenError(f"There is no {kind} {name!r} on this machine. {remedy(data / folder, name)}")
        for key, variable in held["keys"]:
            if contents is not None and key in contents:
                value = contents[key]
                yield variable, value if isinstance(value, str) else json.dumps(value)
            elif not held["optional"]:
                raise GivenError(f"The {kind} {name!r} has no {key!r}. {remedy(data / folder, name)}")
    for field in settings.get("fieldPathAsEnv", ()):
        if field.get("fieldPath") == POD_NAME:
            yield field["name"], f"{scope.facts.job}/{path}"


def missing(settings: Mapping[str, Json], data: Path) -> Iterator[tuple[str, str]]:
    """Yield what of this is known to be missing before the run: what, and the remedy."""
    for held, folder, kind in _asked(settings):
        name = constant_name(held, held["name"])
        if not name or held["optional"]:
            continue
        contents = read(data / folder / f"{name}.json")
        keys = [key for key, _ in held["keys"] if contents is None or key not in contents]
        if contents is None:
            yield f"It needs the {kind} {name!r}, which is not on this machine.", remedy(data / folder, name)
        elif keys:
            listed = ", ".join(map(repr, keys))
            yield f"It needs {listed} of the {kind} {name!r}.", remedy(data / folder, name)


def remedy(folder: Path, name: str) -> str:
    """Return how to give a secret or config map to runs on this machine."""
    return f'Write it as JSON, {{"key": "value"}}, into {folder / name}.json.'


def read(file: Path) -> Mapping[str, Json] | None:
    """Return what a secret's or config map's file holds; None if there is none that can be read."""
    try:
        held = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return held if isinstance(held, dict) else None


def _asked(settings: Mapping[str, Json]) -> Iterator[tuple[dict[str, Json], str, str]]:
    for field, name, key, folder, kind in _KINDS:
        for held in settings.get(field, ()):
            keys = [(pair.get(key, ""), pair.get("envVar", "")) for pair in held.get("keyToEnv", ())]
            optional = bool(held.get("optional"))
            yield {**held, "name": name, "keys": keys, "optional": optional}, folder, kind


def constant_name(held: Mapping[str, Json], field: str) -> str:
    """Return the name of a secret, config map or claim if it is written in a setting; empty if it flows."""
    reference = held.get(f"{field}Parameter")
    if reference is None:
        # Older documents: the name itself, of claims under a name of its own.
        return str(held.get(field) or held.get("constant") or "")
    return str((reference.get("runtimeValue") or {}).get("constant") or "")


def name_of(held: Mapping[str, Json], field: str, scope: Scope) -> str:
    """Return the name of a secret, config map or claim, also if it flows.

    Raises:
        GivenError: It is not there, or no name.
    """
    flows = reference(held.get(f"{field}Parameter", held))
    text = str(constant_name(held, field) or value_of(field, flows, scope) or "")
    if not text or os.sep in text or text.startswith("."):
        raise GivenError(f"{text!r} is no name of a {_NAMED[field]}.")
    return text


def reference(held: Mapping[str, Json]) -> Value:
    """Return the value that settings of Kubernetes refer to."""
    selector = held.get("parameterExpressionSelector", "")
    if "taskOutputParameter" in held:
        source = held["taskOutputParameter"]
        return TaskOutput(source["producerTask"], source["outputParameterKey"], selector)
    if "componentInputParameter" in held:
        return PipelineInput(held["componentInputParameter"], selector)
    return Constant((held.get("runtimeValue") or {}).get("constant"))
