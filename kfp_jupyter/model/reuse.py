"""Which results of an earlier run hold for a run of the same pipeline, one of whose steps was changed.

A step's result holds if the step succeeded, is the same (code, packages, image, environment), gets the same
arguments, and if the same can be said of every step that it waits for. So what is run again is what was
changed or did not succeed, and all that follows from it; whether the cache is in use does not matter.

Groups (loops, conditions, pipelines in pipelines) are entered: a value that comes into a group is the same if
its argument is, and the iterations of a loop are compared one by one if its items are the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from kfp_jupyter.model.component import Component, PythonStep, Source
from kfp_jupyter.model.graph import Graph, Task
from kfp_jupyter.model.pipeline import Pipeline
from kfp_jupyter.model.run import RunState, State, TaskRun
from kfp_jupyter.model.types import Json
from kfp_jupyter.model.value import Calculation, PipelineInput, RuntimeParameter, Value, sources

_HOLDS = (State.SUCCEEDED, State.SKIPPED)


def same_component(one: Component, other: Component) -> bool:
    """Say whether two components do the same; the cells that they stand in do not count."""
    return _content(one) == _content(other)


def reusable(
    before: Pipeline, state: RunState, now: Pipeline, arguments: Mapping[str, Json]
) -> dict[str, TaskRun]:
    """Return what an earlier run has to give to a new one, by the path of the task.

    Args:
        before: The pipeline of the earlier run.
        state: How that run ended.
        now: The pipeline that is to be run.
        arguments: Its arguments.

    Returns:
        What is known of tasks that succeeded and need not run again. Each says which run made it
        (`cached_from`): the earlier one, unless that itself had taken it over.
    """
    same = {
        name for name, held in arguments.items() if name in state.arguments and state.arguments[name] == held
    }
    comparison = _Comparison(before, state, now)
    comparison.graph(before.graph, now.graph, same, "")
    return comparison.found


@dataclass
class _Comparison:
    before: Pipeline
    state: RunState
    now: Pipeline
    found: dict[str, TaskRun] = field(default_factory=dict)

    def graph(self, before: Graph, now: Graph, same: set[str], prefix: str) -> bool:
        """Compare two graphs, whose inputs in `same` have the same values; say if all in them holds."""
        holding: set[str] = set()
        for task in now.in_order():
            earlier = before.tasks.get(task.name)
            if earlier is not None and self._holds(earlier, task, same, holding, prefix):
                holding.add(task.name)
        return holding == set(now.tasks) == set(before.tasks)

    def _holds(self, before: Task, now: Task, same: set[str], holding: set[str], prefix: str) -> bool:
        if not set(now.after) <= holding or not set(before.after) <= {*holding, *now.after}:
            return False
        arguments = {
            name
            for name, value in now.arguments.items()
            if before.arguments.get(name) == value and _is_same(value, same, holding)
        }
        unchanged = (
            arguments == set(now.arguments) == set(before.arguments)
            and (before.trigger, before.loop, before.settings.env)
            == (now.trigger, now.loop, now.settings.env)
            and before.settings.cache_key == now.settings.cache_key
        )
        path = prefix + now.name
        was, is_ = self.before.component_of(before), self.now.component_of(now)
        if isinstance(was.implementation, Graph) and isinstance(is_.implementation, Graph):
            inner = self._group(before, now, was.implementation, is_.implementation, arguments, path)
            return unchanged and inner and self._state(path) in (*_HOLDS, None)
        if not unchanged or not same_component(was, is_) or self._state(path) not in _HOLDS:
            return False
        earlier = self.state.tasks[path]
        if earlier.state is State.SUCCEEDED:
            self.found[path] = replace(earlier, cached_from=earlier.cached_from or self.state.id)
        return True

    def _group(self, before: Task, now: Task, was: Graph, is_: Graph, arguments: set[str], path: str) -> bool:
        """Compare the insides of a group; say if all in it holds."""
        given = {name for name, held in now.arguments.items() if name in arguments}
        defaults = self.now.component_of(now).inputs
        given |= {spec.name for spec in defaults if spec.name not in now.arguments}
        if now.loop is None:
            return self.graph(was, is_, given, f"{path}/")
        items = now.loop.items_input
        if before.loop != now.loop or (items and items not in arguments):
            return False
        iterations = list(self._iterations(path))
        every = [self.graph(was, is_, {*given, now.loop.item_input}, f"{one}/") for one in iterations]
        return all(every) and (bool(iterations) or self._state(path) in _HOLDS)

    def _iterations(self, path: str) -> Iterator[str]:
        beginning = re.compile(re.escape(path) + r"\[[^]/]*\]")
        seen = (beginning.match(held) for held in self.state.tasks)
        yield from dict.fromkeys(match[0] for match in seen if match)

    def _state(self, path: str) -> State | None:
        held = self.state.tasks.get(path)
        return held.state if held is not None else None


def _is_same(value: Value, same: set[str], holding: set[str]) -> bool:
    if isinstance(value, PipelineInput):
        return value.name in same
    if isinstance(value, Calculation):
        return all(_is_same(operand, same, holding) for operand in value.operands)
    # What is only known of a run when it runs, such as its id, is never that of another.
    return not isinstance(value, RuntimeParameter) and set(sources(value)) <= holding


def _content(component: Component) -> tuple[object, ...]:
    step = component.implementation
    if not isinstance(step, PythonStep):
        return (component.inputs, component.outputs, step)
    return (component.inputs, component.outputs, step.source.text, replace(step, source=Source(())))
