from __future__ import annotations

from dataclasses import replace

import pytest

from kfp_jupyter import dsl
from kfp_jupyter.model.reuse import reusable, same_component
from kfp_jupyter.model.run import RunState, State, Target, TaskRun

DONE = TaskRun(State.SUCCEEDED)


@dsl.component
def one(n: int = 1) -> int:
    return n


@dsl.component
def two(n: int = 1) -> int:
    return n + 1


def changed(component):
    """Return a pipeline's components with another text for one of them."""
    step = component.implementation
    (first, *others) = step.source.fragments
    other = replace(step.source, fragments=(replace(first, text=first.text + "# changed\n"), *others))
    return replace(component, implementation=replace(step, source=other))


def with_changed(pipeline, name):
    components = {
        key: changed(held) if held.name == name else held for key, held in pipeline.components.items()
    }
    return replace(pipeline, components=components)


def state_of(pipeline, tasks, **arguments):
    return RunState("before", pipeline.name, Target(), arguments, State.FAILED, 0.0, tasks=tasks)


def held(before, now, tasks, **arguments):
    return set(reusable(before, state_of(before, tasks, **arguments), now, arguments))


@dsl.pipeline
def looped(flag: str = "on"):
    first = one()
    with dsl.ParallelFor([1, 2]) as item:
        inner = one(n=item)
        two(n=inner.output)
    with dsl.If(flag == "on"):
        two(n=first.output)
    one(n=3).after(first)


TASKS = {
    "one": DONE,
    "for-loop-2": replace(DONE, state=State.FAILED),
    "for-loop-2[0]/one-2": DONE,
    "for-loop-2[0]/two": DONE,
    "for-loop-2[1]/one-2": DONE,
    "for-loop-2[1]/two": replace(DONE, state=State.FAILED),
    "condition-3": DONE,
    "condition-3/two-2": DONE,
    "one-3": DONE,
}


def test_iterations_of_a_loop_are_compared_one_by_one():
    model = looped.model
    assert set(model.graph.tasks) == {"one", "for-loop-2", "condition-3", "one-3"}
    assert held(model, model, TASKS, flag="on") == {
        "one",
        "for-loop-2[0]/one-2",
        "for-loop-2[0]/two",
        "for-loop-2[1]/one-2",
        "condition-3/two-2",
        "one-3",
    }


def test_what_follows_a_change_in_a_group_and_out_of_it_is_not_taken():
    model = looped.model
    assert held(model, with_changed(model, "two"), TASKS, flag="on") == {
        "one",
        "for-loop-2[0]/one-2",
        "for-loop-2[1]/one-2",
        "one-3",
    }
    assert held(model, with_changed(model, "one"), TASKS, flag="on") == set()


def test_other_items_of_a_loop_are_other_iterations():
    @dsl.pipeline(name="looped")
    def other(flag: str = "on"):
        first = one()
        with dsl.ParallelFor([1, 2, 3]) as item:
            inner = one(n=item)
            two(n=inner.output)
        with dsl.If(flag == "on"):
            two(n=first.output)
        one(n=3).after(first)

    assert held(looped.model, other.model, TASKS, flag="on") == {"one", "condition-3/two-2", "one-3"}


def test_an_order_without_data_counts_too():
    @dsl.pipeline(name="ordered")
    def ordered():
        two().after(one())

    model = ordered.model
    tasks = {"one": DONE, "two": DONE}
    assert held(model, model, tasks) == {"one", "two"}
    assert held(model, model, {**tasks, "one": replace(DONE, state=State.FAILED)}) == set()
    assert held(model, with_changed(model, "one"), tasks) == set()


def test_a_changed_environment_is_a_change_and_a_moved_cell_is_none():
    @dsl.pipeline(name="p")
    def before():
        one()

    @dsl.pipeline(name="p")
    def now():
        one().set_env_variable("MODE", "x")

    assert held(before.model, now.model, {"one": DONE}) == set()
    step = one.model.implementation
    moved = [replace(part, file="Cell In[9]", first_line=7) for part in step.source.fragments]
    again = replace(
        one.model, implementation=replace(step, source=replace(step.source, fragments=tuple(moved)))
    )
    assert same_component(one.model, again)
    assert not same_component(one.model, changed(one.model))


@pytest.mark.parametrize("state", [State.FAILED, State.CANCELED, State.RUNNING])
def test_only_what_succeeded_is_taken(state):
    @dsl.pipeline(name="p")
    def pipeline():
        one()

    assert held(pipeline.model, pipeline.model, {"one": TaskRun(state)}) == set()


def test_what_is_taken_says_which_run_made_it():
    @dsl.pipeline(name="p")
    def pipeline():
        two(n=one().output)

    tasks = {"one": replace(DONE, cached_from="long-ago"), "two": DONE}
    taken = reusable(pipeline.model, state_of(pipeline.model, tasks), pipeline.model, {})
    assert {path: held.cached_from for path, held in taken.items()} == {"one": "long-ago", "two": "before"}
