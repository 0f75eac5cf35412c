"""KFP's placeholders in texts, replaced by what they stand for: `Hello {{$.inputs.parameters['name']}}`.

A value is written as text, as KFP writes it, also where the text is nothing but its placeholder: what is put
into a list or dict is a text there. An argument as a whole is then read as its type again (see `given`).
Reference: https://kubeflow-pipelines.readthedocs.io/en/stable/source/dsl.html (the constants `PIPELINE_…`)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from kfp_jupyter.model.cel_values import text_of
from kfp_jupyter.model.types import Json
from kfp_jupyter.model.value import PLACEHOLDER

_PLACEHOLDER = re.compile(r"\{\{\$(?:\.(?P<path>[^{}]*))?\}\}")
_PART = re.compile(r"\[\s*(?:'(?P<one>[^']*)'|\"(?P<two>[^\"]*)\")\s*\]|\.?(?P<name>\w+)")


class PlaceholderError(Exception):
    """A placeholder that stands for nothing; the message says which."""


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What placeholders say of the run.

    Attributes:
        job: Its id, which is also its name.
        root: The folder of its artifacts.
        workspace: The folder that its tasks share.
        created: When it was started, as RFC 3339.
    """

    job: str
    root: str
    workspace: str
    created: str

    def of_task(self, name: str, path: str) -> dict[str, Json]:
        """Return what the placeholders without brackets stand for in a task."""
        return {
            "pipeline_job_name": self.job,
            "pipeline_job_resource_name": self.job,
            "pipeline_job_uuid": self.job,
            "pipeline_task_name": name,
            "pipeline_task_uuid": f"{self.job}/{path}",
            "pipeline_root": self.root,
            "pipeline_job_create_time_utc": self.created,
            "pipeline_job_schedule_time_utc": self.created,
            "workspace_path": self.workspace,
        }


def has_placeholder(value: Json) -> bool:
    """Say whether there is a placeholder in a value."""
    if isinstance(value, str):
        return PLACEHOLDER in value
    if isinstance(value, Mapping):
        return any(has_placeholder(key) or has_placeholder(held) for key, held in value.items())
    return isinstance(value, (list, tuple)) and any(has_placeholder(held) for held in value)


def replaced(value: Json, names: Mapping[str, Json]) -> Json:
    """Return a value with its placeholders replaced, in all texts inside it.

    Args:
        value: The value.
        names: What they stand for: nested mappings, as `inputs` → `parameters` → name. Placeholders whose
            first name is not among them are left as they are, for somebody who knows more.

    Raises:
        PlaceholderError: One stands for nothing.
    """
    if isinstance(value, str):
        if PLACEHOLDER not in value:
            return value
        return _PLACEHOLDER.sub(lambda found: text_of(_meant(found, names)), value)
    if isinstance(value, Mapping):
        return {text_of(replaced(key, names)): replaced(held, names) for key, held in value.items()}
    if isinstance(value, (list, tuple)):
        return [replaced(held, names) for held in value]
    return value


def _meant(found: re.Match[str], names: Mapping[str, Json]) -> Json:
    held: Json = names
    for depth, part in enumerate(_PART.finditer(found["path"] or "")):
        key = part["one"] or part["two"] or part["name"]
        if depth == 0 and key not in names:
            return found[0]
        if not isinstance(held, Mapping) or key not in held:
            raise PlaceholderError(f"{found[0]} stands for nothing: there is no {key!r}")
        held = held[key]
    # `{{$}}` itself is the whole ExecutorInput, under an empty name.
    return names.get("", found[0]) if held is names else held
