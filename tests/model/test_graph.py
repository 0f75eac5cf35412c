"""Graphs are edited without losing what refers to their tasks."""

from __future__ import annotations

import pytest

from kfp_jupyter.model.codec import decode, encode
from kfp_jupyter.model.component import Component
from kfp_jupyter.model.graph import Graph, GroupKind, Loop, PipelineError, Task, Trigger, TriggerStrategy
from kfp_jupyter.model.settings import TaskSettings
from kfp_jupyter.model.value import Constant, FinalStatus, OneOf, TaskOutput

SECRET = {"pvcMount": [{"pvcNameParameter": {"taskOutputParameter": {"producerTask": "make"}}}]}
GRAPH = Graph(
    {
        "make": Task("make", "comp-make"),
        "other": Task("other", "comp-make", settings=TaskSettings(kubernetes=SECRET)),
        "use": Task(
            "use",
            "comp-use",
            {"a": TaskOutput("make", "o"), "b": FinalStatus("make"), "c": Constant("make")},
            after=("make", "other"),
            trigger=Trigger("x == 1", TriggerStrategy.COMPLETED),
            loop=Loop("item", (1, {"a": [2]}), parallelism=3),
        ),
    },
    {"o": OneOf((TaskOutput("make", "o"), TaskOutput("other", "o"))), "p": TaskOutput("make", "o")},
    GroupKind.BRANCHES,
)


def test_a_task_is_renamed_wherever_it_is_referred_to() -> None:
    graph = GRAPH.renamed("make", "build")
    assert list(graph.tasks) == ["build", "other", "use"]
    use = graph.tasks["use"]
    assert use.arguments == {
        "a": TaskOutput("build", "o"),
        "b": FinalStatus("build"),
        "c": Constant("make"),
    }
    assert use.after == ("build", "other")
    assert graph.outputs == {
        "o": OneOf((TaskOutput("build", "o"), TaskOutput("other", "o"))),
        "p": TaskOutput("build", "o"),
    }
    assert "build" in str(graph.tasks["other"].settings.kubernetes)
    assert graph.renamed("build", "make") == GRAPH


@pytest.mark.parametrize(("old", "new", "what"), [("gone", "x", "no task 'gone'"), ("make", "use", "'use'")])
def test_a_name_that_is_unknown_or_taken_is_refused(old: str, new: str, what: str) -> None:
    with pytest.raises(PipelineError, match=what):
        GRAPH.renamed(old, new)


def test_every_part_of_a_graph_passes_through_json() -> None:
    assert decode(Graph, encode(GRAPH)) == GRAPH


def test_a_graph_is_an_implementation_among_others_in_json() -> None:
    component = Component("c", (), (), GRAPH)
    assert decode(Component, encode(component)) == component
