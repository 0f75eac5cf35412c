"""What an engine cannot run yet is refused before a run starts, naming the task."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kfp_jupyter.engines.argo.manifest import workflow
from kfp_jupyter.engines.base import RunOptions
from kfp_jupyter.engines.support import UnsupportedError, check_supported
from kfp_jupyter.model.component import Component, ContainerStep, ForeignStep, Importer, InputSpec, OutputSpec
from kfp_jupyter.model.graph import Graph, Loop, Task, Trigger, TriggerStrategy
from kfp_jupyter.model.pipeline import Pipeline
from kfp_jupyter.model.run import Target
from kfp_jupyter.model.settings import Resources, TaskSettings
from kfp_jupyter.model.types import ArtifactType, ParameterType
from kfp_jupyter.model.value import Calculation, Constant, FinalStatus, OneOf, RuntimeParameter, TaskOutput

PLACEHOLDER = "{{$.inputs.parameters['pipelinechannel--make-o']}}"
STEP = Component(
    "c",
    (InputSpec("a", ParameterType.STRING, True),),
    (OutputSpec("o", ParameterType.STRING),),
    ContainerStep("image"),
)
MADE = TaskOutput("make", "o")


def pipeline(task: Task, component: Component = STEP, output: object = MADE) -> Pipeline:
    tasks = {"make": Task("make", "comp-c"), "use": replace(task, name="use", component="comp-use")}
    components = {"comp-c": STEP, "comp-use": component}
    return Pipeline("p", (), (), components, Graph(tasks, {"o": output}))  # type: ignore[dict-item]


def use(**changes: object) -> Task:
    return replace(Task("use", "comp-use"), **changes)  # type: ignore[arg-type]


CASES = [
    (pipeline(use(), replace(STEP, implementation=Graph({"t": Task("t", "comp-c")}))), "inside the pipeline"),
    (pipeline(use(), replace(STEP, implementation=Importer(Constant("x"), ArtifactType("y")))), "imports"),
    (pipeline(use(), replace(STEP, implementation=ForeignStep({"resolver": {}}))), "only KFP's own servers"),
    (pipeline(use(), replace(STEP, inputs=(InputSpec("a", ParameterType.TASK_CONFIG),))), "TaskConfig"),
    (pipeline(use(loop=Loop("a", (1, 2)))), "once for each item"),
    (pipeline(use(trigger=Trigger("1 == 1"))), "on a condition"),
    (pipeline(use(trigger=Trigger(strategy=TriggerStrategy.COMPLETED))), "also runs after tasks that failed"),
    (pipeline(use(arguments={"a": FinalStatus("make")})), "how another task ended"),
    (pipeline(use(arguments={"a": RuntimeParameter("x")})), "older way"),
    (pipeline(use(arguments={"pipelinechannel--make-o": MADE})), "'make-o' into a text or a setting"),
    (pipeline(use(arguments={"a": Constant(f"got {PLACEHOLDER}")})), "a placeholder in 'a'"),
    (pipeline(use(settings=TaskSettings(resources=Resources(cpu_limit=PLACEHOLDER)))), "in its settings"),
    (pipeline(use(settings=TaskSettings(kubernetes={"secretAsEnv": []}))), "extension (secretAsEnv)"),
]


@pytest.mark.parametrize(("given", "what"), CASES, ids=[what for _, what in CASES])
def test_what_argo_cannot_run_yet_is_refused_with_its_task(given: Pipeline, what: str) -> None:
    with pytest.raises(UnsupportedError) as caught:
        workflow(given, {}, RunOptions("r", Target()))
    assert caught.value.where == "task use"
    assert what in caught.value.what
    assert "KFP server" in caught.value.remedy


@pytest.mark.parametrize(
    ("value", "what", "remedy"),
    [
        (replace(MADE, selector="string_value"), "a part of a value", "KFP server"),
        (
            Calculation("+", (MADE, Constant("x"))),
            "gets in 'a' what is calculated from values of the run: `output 'o' of task 'make' + 'x'`",
            "inside a component, or run the pipeline on this machine",
        ),
    ],
)
def test_what_only_this_machine_makes_of_values_is_refused_elsewhere(
    value: TaskOutput | Calculation, what: str, remedy: str
) -> None:
    given = pipeline(use(arguments={"a": value}))
    with pytest.raises(UnsupportedError) as caught:
        workflow(given, {}, RunOptions("r", Target()))
    assert caught.value.where == "task use"
    assert what in caught.value.what
    assert remedy in caught.value.remedy


def test_an_output_of_several_tasks_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="output 'o' comes from whichever"):
        check_supported(pipeline(use(), output=OneOf((MADE, TaskOutput("use", "o")))), "Argo")


def test_what_can_be_run_passes() -> None:
    check_supported(pipeline(use(arguments={"a": MADE})), "Argo")
