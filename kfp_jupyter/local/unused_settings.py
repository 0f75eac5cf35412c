"""What is asked for and does not happen on this machine: told before the run.

What KFP's local runner warns of is a warning here too, with KFP's name of the setting; the rest is printed.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator

from kfp_jupyter.engines.local.notices import ACCELERATORS, CPU_LIMIT, MEMORY_LIMIT
from kfp_jupyter.model.component import PythonStep
from kfp_jupyter.model.pipeline import Graph, Pipeline

_KFP_NAMES = {CPU_LIMIT: "cpu_limit", MEMORY_LIMIT: "memory_limit", ACCELERATORS: "accelerator"}
"""KFP's name of a setting by how the engine's notice of it begins."""


class LocalSettingWarning(UserWarning):
    """A setting of a task does nothing where the task runs on this machine."""


def tell(pipeline: Pipeline, notices: tuple[str, ...]) -> None:
    """Tell what is asked for and will not be done.

    Args:
        pipeline: What is run.
        notices: What the engine says of it.
    """
    for notice in notices:
        names = [name for begin, name in _KFP_NAMES.items() if notice.startswith(begin)]
        if names:
            said = f"{notice} (The current local runner has no '{names[0]}'.)"
            warnings.warn(LocalSettingWarning(said), stacklevel=2)
        else:
            print(notice)  # noqa: T201 - for the person who waits for the call
    for said in _display_names(pipeline):
        warnings.warn(LocalSettingWarning(said), stacklevel=2)


def _display_names(pipeline: Pipeline) -> Iterator[str]:
    """Yield what KFP's local runner says too: a name for people changes no folder and no log."""
    named = []
    for path, task in pipeline.walk():
        step = pipeline.component_of(task).implementation
        own = step.function if isinstance(step, PythonStep) else ""
        if not isinstance(step, Graph) and task.settings.display_name not in ("", own):
            named.append(path)
    if named:
        yield (
            f"Only shown in pictures: 'display_name' of {', '.join(named)}. "
            "What the current local runner prints and keeps goes by the task's own name."
        )
