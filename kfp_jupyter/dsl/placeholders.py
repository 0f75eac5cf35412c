"""Texts that are replaced when a step runs: names and ids of the run, and what a command is given.

Reference: https://kubeflow-pipelines.readthedocs.io/en/stable/source/dsl.html#kfp.dsl.ConcatPlaceholder
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NoReturn

from kfp_jupyter.cells.errors import ComponentError

PIPELINE_JOB_NAME_PLACEHOLDER = "{{$.pipeline_job_name}}"
PIPELINE_JOB_RESOURCE_NAME_PLACEHOLDER = "{{$.pipeline_job_resource_name}}"
PIPELINE_JOB_ID_PLACEHOLDER = "{{$.pipeline_job_uuid}}"
PIPELINE_TASK_NAME_PLACEHOLDER = "{{$.pipeline_task_name}}"
PIPELINE_TASK_ID_PLACEHOLDER = "{{$.pipeline_task_uuid}}"
PIPELINE_TASK_EXECUTOR_OUTPUT_PATH_PLACEHOLDER = "{{$.outputs.output_file}}"
PIPELINE_TASK_EXECUTOR_INPUT_PLACEHOLDER = "{{$}}"
PIPELINE_ROOT_PLACEHOLDER = "{{$.pipeline_root}}"
PIPELINE_JOB_CREATE_TIME_UTC_PLACEHOLDER = "{{$.pipeline_job_create_time_utc}}"
PIPELINE_JOB_SCHEDULE_TIME_UTC_PLACEHOLDER = "{{$.pipeline_job_schedule_time_utc}}"
WORKSPACE_PATH_PLACEHOLDER = "{{$.workspace_path}}"


class PlaceholderError(ComponentError):
    """A placeholder was used where it cannot stand."""


class Placeholder:
    """What a command gets for an input or output.

    Args:
        text: KFP's placeholder.
    """

    def __init__(self, text: str) -> None:
        self._text = text

    def __str__(self) -> str:
        return self._text

    def as_json(self) -> Any:
        """Return what stands for it inside of another placeholder."""
        return self._text


class ConcatPlaceholder(Placeholder):
    """Texts and placeholders, joined.

    Args:
        items: What is joined.
    """

    def __init__(self, items: Sequence[Any]) -> None:
        for item in items:
            if isinstance(item, IfPresentPlaceholder):
                item.refuse_lists()
        self.items = list(items)

    def __str__(self) -> NoReturn:
        raise _not_in_text("ConcatPlaceholder")

    def as_json(self) -> Any:
        """Return KFP's form of it."""
        return {"Concat": [_as_json(item) for item in self.items]}


class IfPresentPlaceholder(Placeholder):
    """A text or placeholder, or several, if an input was given; and others if not.

    Args:
        input_name: The input.
        then: What stands there if it was given.
        else_: What stands there if not; nothing by default.
    """

    def __init__(self, input_name: str, then: Any, else_: Any = None) -> None:
        self.input_name = input_name
        self.then = then
        self.else_ = else_

    def __str__(self) -> NoReturn:
        raise _not_in_text("IfPresentPlaceholder")

    def as_json(self) -> Any:
        """Return KFP's form of it."""
        held = {"InputName": self.input_name, "Then": _as_json(self.then)}
        if self.else_:
            held["Else"] = _as_json(self.else_)
        return {"IfPresent": held}

    def refuse_lists(self) -> None:
        """Refuse several words, which cannot be joined with others to one.

        Raises:
            PlaceholderError: There are.
        """
        for held in (self.then, self.else_):
            if isinstance(held, (list, tuple)):
                raise PlaceholderError(
                    f"`IfPresentPlaceholder({self.input_name!r}, …)` in a `ConcatPlaceholder` holds a list.",
                    remedy="Give `then` and `else_` single texts or placeholders there.",
                )
            parts = held.items if isinstance(held, ConcatPlaceholder) else [held]
            for part in parts:
                if isinstance(part, IfPresentPlaceholder):
                    part.refuse_lists()


def word(element: Any) -> str:
    """Return an element of a command as KFP writes it: a text, or the JSON of a nested placeholder."""
    if isinstance(element, (ConcatPlaceholder, IfPresentPlaceholder)):
        return json.dumps(element.as_json())
    return str(element)


def _as_json(element: Any) -> Any:
    if isinstance(element, (list, tuple)):
        return [_as_json(held) for held in element]
    return element.as_json() if isinstance(element, Placeholder) else element


def _not_in_text(name: str) -> PlaceholderError:
    return PlaceholderError(
        f"A `{name}` cannot stand inside a text.", remedy="Give it as a word of its own, or inside another."
    )
