"""Why an attempt failed, in the user's terms: as the step said in its log, else as Argo says of its pod."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kfp_jupyter.engines.trouble import Trouble
from kfp_jupyter.executor.markers import parse
from kfp_jupyter.model.component import Component, PythonStep
from kfp_jupyter.model.run import TaskError

TAIL = 50
"""Lines of a failed task's log that are kept with it."""

# Where the prelude puts the source; the folder has a random name.
_SOURCE_FILE = re.compile(r'File "([^"]*/kfp-jupyter-[^"/]*/component\.py)", line ')


def in_place(line: str, component: Component | None) -> str:
    """Return a line of a log with the place of a traceback in the user's terms."""
    found = _SOURCE_FILE.search(line)
    if found is None or component is None or not isinstance(component.implementation, PythonStep):
        return line
    return Trouble(component.implementation.source, Path(found.group(1))).in_place(line)


def read_failure(
    lines: Sequence[str], component: Component | None, known: TaskError | None
) -> tuple[TaskError | None, tuple[str, ...]]:
    """Return a failed task's error and the end of its log.

    Args:
        lines: The last lines of the pod's log, markers among them.
        component: The task's component.
        known: What is known without the log.
    """
    shown: list[str] = []
    told: dict[str, Any] | None = None
    for line in lines:
        text, message = parse(line)
        if text is not None:
            shown.append(in_place(text, component))
        if message and isinstance(message.get("error"), dict):
            told = message["error"]
    tail = tuple(shown[-TAIL:])
    if told is None:
        return known, tail
    if component is None or not isinstance(component.implementation, PythonStep):
        return TaskError(str(told.get("type", "Error")), str(told.get("message", ""))), tail
    return Trouble(component.implementation.source, Path("component.py")).told(told), tail
