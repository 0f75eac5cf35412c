"""The order of a graph's tasks, and the paths of all of them."""

from __future__ import annotations

import pytest

from kfp_jupyter.model.component import Component, ContainerStep
from kfp_jupyter.model.pipeline import Graph, Loop, Pipeline, PipelineError, Task, TaskOutput


def graph(**after: str) -> Graph:
    return Graph({name: Task(name, "comp-a", after=tuple(names.split())) for name, names in after.items()})


def order(g: Graph) -> list[str]:
    return [task.name for task in g.in_order()]


def test_tasks_without_dependencies_keep_the_order_they_were_written_in() -> None:
    assert order(graph(b="", a="", c="")) == ["b", "a", "c"]


def test_a_task_comes_after_all_it_depends_on() -> None:
    assert order(graph(d="b c", c="a", b="a", a="")) == ["a", "b", "c", "d"]


def test_data_makes_a_dependency_and_is_named_once() -> None:
    task = Task("t", "c", {"x": TaskOutput("a", "o"), "y": TaskOutput("a", "p")}, after=("b", "a"))
    assert task.dependencies == ("a", "b")


def test_a_circle_is_named() -> None:
    with pytest.raises(PipelineError, match="a → b → c → a"):
        order(graph(a="c", b="a", c="b"))


def test_a_task_that_waits_for_itself_is_a_circle() -> None:
    with pytest.raises(PipelineError, match="Task 'a' waits for itself"):
        order(graph(a="a"))


def test_an_unknown_dependency_is_named_with_the_task_that_wants_it() -> None:
    with pytest.raises(PipelineError, match=r"task a: It waits for a task 'nowhere'"):
        order(graph(a="nowhere"))


def test_a_long_chain_needs_no_recursion() -> None:
    chain = graph(**{f"t{i}": f"t{i + 1}" if i < 5000 else "" for i in range(5001)})
    assert order(chain)[0] == "t5000"


def test_paths_lead_into_groups_and_loops_are_known_only_by_name() -> None:
    inner = Graph({"b": Task("b", "step"), "loop": Task("loop", "body", loop=Loop("i", (1, 2)))})
    components = {
        "group": Component("group", (), (), inner),
        "body": Component("body", (), (), Graph({"c": Task("c", "step")})),
        "step": Component("step", (), (), ContainerStep("image")),
    }
    made = Pipeline("p", (), (), components, Graph({"a": Task("a", "group"), "d": Task("d", "step")}))
    assert [path for path, _ in made.walk()] == ["a", "a/b", "a/loop", "a/loop/c", "d"]
    assert made.paths() == ("a", "a/b", "a/loop", "d")
    assert made.paths(inner) == ("b", "loop")
