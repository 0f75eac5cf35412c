"""What a group of control flow does, in its author's words: `if flip == 'heads'`, `for each of names`.

The model holds KFP's own names and expressions; here they lose what KFP's compiler put around them.
"""

from __future__ import annotations

import re

from kfp_jupyter.model.component import Component
from kfp_jupyter.model.pipeline import Graph, GroupKind, Loop, Task
from kfp_jupyter.model.value import CHANNEL

_ARGUMENT = re.compile(rf"inputs\.parameter_values\['(?:{CHANNEL})?([^']*)'\]")
_CAST = re.compile(r"\b(?:int|double)\(([^()]*)\)")
_OTHERWISE = re.compile(r"!\((?:[^()]|\([^()]*\))*\)(?: && )?")


def titles(task: Task, component: Component, within: GroupKind) -> tuple[str, str]:
    """Return the name shown of a task, and what it runs.

    Args:
        task: The task.
        component: Its component.
        within: The kind of graph that it stands in: between branches, conditions say what is left to them.
    """
    meaning = _meaning(task, component, within)
    if meaning and not task.settings.display_name:
        # `condition-2` is KFP's name, not the author's.
        return meaning, task.name
    return task.settings.display_name or task.name, meaning or component.name


def _meaning(task: Task, component: Component, within: GroupKind) -> str:
    if task.loop is not None:
        return f"for each of {_items(task.loop)}"
    if task.trigger.condition:
        return _condition(task.trigger.condition, within is GroupKind.BRANCHES)
    step = component.implementation
    group = step.group if isinstance(step, Graph) else GroupKind.PIPELINE
    if group is GroupKind.BRANCHES:
        return "the first that holds"
    return "until its end, however it ends" if group is GroupKind.EXIT_HANDLER else ""


def spoken(name: str) -> str:
    """Return the name of a value as its author knows it: `pipelinechannel--flip-Output` is `flip`."""
    name, _, field = name.removeprefix(CHANNEL).partition("-subvar-")
    item = f"item.{field}" if field else "item"
    if name.startswith("loop-item-param-"):
        return item
    if name.endswith("-loop-item"):
        return f"{item} of {spoken(name.removesuffix('-loop-item'))}"
    return name.removesuffix("-Output")


def _items(loop: Loop) -> str:
    if loop.items is None:
        return spoken(loop.items_input)
    return f"{len(loop.items)} items" if len(loop.items) != 1 else "1 item"


def _condition(expression: str, between_branches: bool) -> str:
    said = _ARGUMENT.sub(lambda found: spoken(found[1]), expression)
    while (plain := _CAST.sub(r"\1", said)) != said:
        said = plain
    rest = said
    while between_branches and (found := _OTHERWISE.match(rest)):
        rest = rest[found.end() :]
    if not rest:
        return "else"
    return f"if {said}" if rest == said else f"else if {rest}"
