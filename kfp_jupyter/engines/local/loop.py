"""A loop: its items, and what each iteration gets.

Reference: https://kubeflow-pipelines.readthedocs.io/en/stable/source/dsl.html#kfp.dsl.ParallelFor
"""

from __future__ import annotations

from dataclasses import replace

from kfp_jupyter.engines.local.exchange import Given
from kfp_jupyter.engines.local.given import GivenError, fitted
from kfp_jupyter.engines.local.scope import Group
from kfp_jupyter.model.graph import Task
from kfp_jupyter.model.types import Json, ParameterType


def items_of(task: Task, given: Given) -> list[Json]:
    """Return the items of a loop: those written in the pipeline, or those that the task gets.

    Raises:
        GivenError: What it gets is no list.
    """
    loop = task.loop
    if loop is None or loop.items is not None:
        return [] if loop is None else list(loop.items or ())
    name = loop.items_input
    if loop.artifacts:
        return list(given.artifacts.get(name, ()))
    held = given.parameters.get(name, given.others.get(name))
    try:
        items = fitted(held, ParameterType.LIST)
    except ValueError:
        items = held
    if not isinstance(items, list):
        shown = name.removeprefix("pipelinechannel--")
        raise GivenError(f"It runs once for each item of {shown!r}, which is {held!r} and no list.")
    return items


def with_item(given: Given, group: Group, index: int) -> Given:
    """Return what an iteration gets: what all of them get, and its item.

    Raises:
        GivenError: The item is not of the type that is wanted.
    """
    loop, items = group.task.loop, group.items
    if loop is None or items is None:
        return given
    name = loop.item_input
    if loop.artifacts:
        digests = given.digests.get(loop.items_input, ())
        own = {name: list(digests[index : index + 1])}
        artifacts = {**given.artifacts, name: [items[index]]}
        return replace(given, artifacts=artifacts, digests={**given.digests, **own})
    spec = group.component.input(name)
    item = items[index]
    if spec is not None:
        try:
            item = fitted(item, spec.type)
        except ValueError:
            raise GivenError(f"Item {index} is {item!r}, not {spec.type.python_name}.") from None
    return replace(given, parameters={**given.parameters, name: item})
