"""The command of a Python step that a document holds, whoever wrote it: KFP's compiler, or ours.

What is recognised is the shape, not the words of one version: a shell starts KFP's `executor_main`, or our
executor, with a module that stands in the command as text. The text becomes the step's source, and the words
around it are kept, so that the command is written back as it was as long as the step needs the same packages.
"""

from __future__ import annotations

from dataclasses import replace

from kfp_jupyter.interchange.command import SOURCE, command
from kfp_jupyter.interchange.installation import installed_by
from kfp_jupyter.model.component import Fragment, PythonStep, Source

PLACE = "the pipeline's document"
"""What people call the place of a source that was read."""

_MARKS = {-1: ("kfp.dsl.executor_main", "components.executor_main"), -2: ("/executor.py",)}
"""What a shell's script holds that starts a source, by the place of the source in the command."""

_ARGUMENTS = ("--executor_input", "{{$}}", "--function_to_execute")


def recognised(words: tuple[str, ...], args: tuple[str, ...], image: str) -> PythonStep | None:
    """Return the Python step that a command is, or None if it is another container.

    Args:
        words: The command.
        args: Its arguments.
        image: The image that it runs in.
    """
    at = _place_of_source(words)
    if at is None or args[:-1] != _ARGUMENTS:
        return None
    launcher = (*words[:at], SOURCE, *words[at + 1 :])
    held = installed_by(launcher)
    step = PythonStep(
        Source((Fragment(words[at], PLACE),)),
        args[-1],
        image,
        held.packages,
        held.index_urls,
        held.trusted_hosts,
    )
    # What we would write ourselves need not be kept.
    return step if words == tuple(command(step, "embedded")) else replace(step, launcher=launcher)


def _place_of_source(words: tuple[str, ...]) -> int | None:
    for at in (-1, -2):
        if len(words) >= 3 - at and words[at - 3 : at - 1] == ("sh", "-ec"):
            script = words[at - 1]
            if "--component_module_path" in script and any(mark in script for mark in _MARKS[at]):
                return len(words) + at
    return None
