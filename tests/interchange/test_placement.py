"""Components and executors get the names that KFP's compiler gives them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kfp_jupyter.interchange.errors import InterchangeError
from kfp_jupyter.interchange.placement import place
from kfp_jupyter.interchange.write import documents
from kfp_jupyter.model.component import Component, ContainerStep, Importer
from kfp_jupyter.model.graph import Graph, GroupKind, Task
from kfp_jupyter.model.pipeline import Pipeline
from kfp_jupyter.model.settings import Resources, TaskSettings
from kfp_jupyter.model.types import ArtifactType
from kfp_jupyter.model.value import Constant

STEP = Component("train", (), (), ContainerStep("image"))


def graph(*names: str, component: str = "comp-train", **others: str) -> Graph:
    tasks = {name: Task(name, component) for name in names}
    tasks |= {name.replace("_", "-"): Task(name.replace("_", "-"), key) for name, key in others.items()}
    return Graph(tasks)


def pipeline(root: Graph, **components: Component) -> Pipeline:
    held = {f"comp-{name.replace('_', '-')}": component for name, component in components.items()}
    return Pipeline("p", (), (), {"comp-train": STEP, **held}, root)


def names(made: Pipeline) -> dict[str, str]:
    return {key: held.label for key, held in place(made).places.items()}


def test_tasks_that_share_a_component_get_one_each() -> None:
    made = pipeline(graph("train", "train-2"))
    assert names(made) == {"comp-train": "exec-train", "comp-train-2": "exec-train-2"}
    assert list(documents(made)[0]["deploymentSpec"]["executors"]) == ["exec-train", "exec-train-2"]


def test_a_pipeline_that_is_used_twice_stands_twice_with_names_of_its_own() -> None:
    inner = Component("inner", (), (), graph("train"))
    made = pipeline(graph("train", inner="comp-inner", inner_2="comp-inner"), inner=inner)
    assert names(made) == {
        "comp-train": "exec-train",
        "comp-train-2": "exec-train-2",
        "comp-inner": "",
        "comp-train-3": "exec-train-3",
        "comp-inner-2": "",
    }
    spec = documents(made)[0]["components"]
    assert spec["comp-inner-2"]["dag"]["tasks"]["train"]["componentRef"] == {"name": "comp-train-3"}


def test_groups_are_named_before_the_tasks_beside_them() -> None:
    group = Component("condition-1", (), (), replace(graph("train-2"), group=GroupKind.CONDITION))
    inner = Component("inner", (), (), graph("train-2"))
    made = pipeline(
        graph("train", inner="comp-inner", condition_1="comp-condition-1"), inner=inner, condition_1=group
    )
    # The inner pipeline's task comes before that of the group, which is looked into later.
    assert names(made) == {
        "comp-condition-1": "",
        "comp-train": "exec-train",
        "comp-train-2": "exec-train-2",
        "comp-inner": "",
        "comp-train-2-2": "exec-train-2-2",
    }


def test_what_was_read_keeps_its_names_inside_another_pipeline() -> None:
    read = replace(STEP, executor_label="exec-odd")
    inner = Component("inner", (), (), graph("a", "b", component="comp-odd"))
    made = pipeline(graph("train", inner="comp-inner"), odd=read, inner=inner)
    assert names(made)["comp-odd"] == "exec-odd"
    assert set(names(made)) == {"comp-train", "comp-odd", "comp-inner"}


def test_a_component_of_a_document_that_no_task_runs_is_kept() -> None:
    read = replace(STEP, executor_label="exec-train")
    spare = Component("spare", (), (), graph("x", component="comp-other"))
    other = replace(STEP, executor_label="exec-other")
    made = replace(
        pipeline(graph("train")), components={"comp-train": read, "comp-spare": spare, "comp-other": other}
    )
    assert set(documents(made)[0]["components"]) == {"comp-train", "comp-spare", "comp-other"}


@pytest.mark.parametrize(
    ("component", "settings", "what"),
    [
        (Component("i", (), (), graph("train")), TaskSettings(env=(("A", "b"),)), "environment variables"),
        (Component("i", (), (), graph("train")), TaskSettings(timeout_seconds=3), "timeout"),
        (
            Component("i", (), (), Importer(Constant("gs://a"), ArtifactType("system.Model"))),
            TaskSettings(resources=Resources(cpu_limit="1"), image="x"),
            "image and resources",
        ),
    ],
)
def test_a_setting_for_which_kfp_has_no_place_is_refused(
    component: Component, settings: TaskSettings, what: str
) -> None:
    made = pipeline(Graph({"t": Task("t", "comp-i", settings=settings)}), i=component)
    with pytest.raises(InterchangeError, match=f"task t: Its {what} cannot be set"):
        documents(made)
