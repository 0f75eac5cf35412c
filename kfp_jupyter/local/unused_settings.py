"""Settings of tasks that a run on this machine has no use for, under KFP's names for them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

from kfp_jupyter.engines.local.notices import ACCELERATORS, CPU_LIMIT, MEMORY_LIMIT
from kfp_jupyter.model.pipeline import Pipeline

_KFP_NAMES = {CPU_LIMIT: "cpu_limit", MEMORY_LIMIT: "memory_limit", ACCELERATORS: "accelerator"}
"""KFP's name of a setting by how the engine's notice of it begins."""


class LocalSettingWarning(UserWarning):
    """A setting of a task does nothing where the task runs on this machine."""


def warn_of(pipeline: Pipeline, notices: tuple[str, ...]) -> None:
    """Warn of what is asked for and will not be done.

    Args:
        pipeline: What is run.
        notices: What the engine says of it.
    """
    for said in [*notices, *_display_names(pipeline)]:
        names = [name for begin, name in _KFP_NAMES.items() if said.startswith(begin)]
        setting = f" (The current local runner has no '{names[0]}'.)" if names else ""
        warnings.warn(LocalSettingWarning(said + setting), stacklevel=2)


def _display_names(pipeline: Pipeline) -> Iterator[str]:
    """Yield what KFP's local runner says too: a name for people changes no folder and no log."""
    named = [path for path, task in pipeline.walk() if task.settings.display_name]
    if named:
        yield (
            f"Only shown in pictures: 'display_name' of {', '.join(named)}. "
            "What the current local runner prints and keeps goes by the task's own name."
        )
