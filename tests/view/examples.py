"""Example pipelines and runs, and what the front end's tests read of them.

Run as a program it writes anew `tests/fixtures/run_documents.json`, and `tests/fixtures/wording.json`: the
words that Python and the front end must both find for a task's second line and for a duration.
"""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

from kfp_jupyter.model.component import Component, InputSpec, OutputSpec, PythonStep, Source
from kfp_jupyter.model.graph import Loop, Trigger
from kfp_jupyter.model.pipeline import (
    Constant,
    Graph,
    GroupKind,
    Pipeline,
    PipelineInput,
    Task,
    TaskOutput,
    TaskSettings,
    Value,
)
from kfp_jupyter.model.run import (
    ArtifactRecord,
    Event,
    MetricLogged,
    RunChanged,
    RunCreated,
    RunState,
    State,
    Target,
    TaskChanged,
    TaskError,
    TaskRun,
    UsageMeasured,
    apply,
)
from kfp_jupyter.model.types import ArtifactType, ParameterType, ValueType
from kfp_jupyter.model.usage import Usage
from kfp_jupyter.model.value import CHANNEL
from kfp_jupyter.view.document import document, task_document
from kfp_jupyter.view.wording import duration, status

FIXTURES = Path(__file__).parents[1] / "fixtures"
START = 1_760_000_000.0

DATASET = ArtifactType("system.Dataset")
MODEL = ArtifactType("system.Model")
METRICS = ArtifactType("system.Metrics")
CLASSIFICATION = ArtifactType("system.ClassificationMetrics")


def component(name: str, inputs: dict[str, ValueType], outputs: dict[str, ValueType]) -> Component:
    step = PythonStep(Source(()), name.replace("-", "_"), "python:3.11")
    return Component(
        name,
        tuple(InputSpec(key, type_) for key, type_ in inputs.items()),
        tuple(OutputSpec(key, type_) for key, type_ in outputs.items()),
        step,
    )


def task(name: str, of: str, after: tuple[str, ...] = (), display_name: str = "", **arguments: Value) -> Task:
    return Task(name, f"comp-{of}", arguments, after, TaskSettings(display_name=display_name))


def classifier() -> Pipeline:
    """Load, split, train two models, evaluate each, choose the better, publish."""
    trained: dict[str, ValueType] = {"train_set": DATASET, "rate": ParameterType.DOUBLE}
    components = [
        component("load", {"url": ParameterType.STRING}, {"data": DATASET}),
        component("split", {"data": DATASET}, {"train_set": DATASET, "test_set": DATASET}),
        component("train-forest", trained, {"model": MODEL}),
        component("train-logistic", trained, {"model": MODEL}),
        component(
            "evaluate",
            {"model": MODEL, "test_set": DATASET},
            {"accuracy": ParameterType.DOUBLE, "metrics": METRICS, "roc": CLASSIFICATION},
        ),
        component(
            "choose", {"a": ParameterType.DOUBLE, "b": ParameterType.DOUBLE}, {"Output": ParameterType.STRING}
        ),
        component("publish", {"winner": ParameterType.STRING}, {}),
    ]
    rate = PipelineInput("rate")
    test_set = TaskOutput("split", "test_set")
    tasks = [
        task("load", "load", url=Constant("https://example.org/cancer.csv")),
        task("split", "split", data=TaskOutput("load", "data")),
        task("train-forest", "train-forest", train_set=TaskOutput("split", "train_set"), rate=rate),
        task("train-logistic", "train-logistic", train_set=TaskOutput("split", "train_set"), rate=rate),
        task("evaluate", "evaluate", model=TaskOutput("train-forest", "model"), test_set=test_set),
        task("evaluate-2", "evaluate", model=TaskOutput("train-logistic", "model"), test_set=test_set),
        task(
            "choose", "choose", a=TaskOutput("evaluate", "accuracy"), b=TaskOutput("evaluate-2", "accuracy")
        ),
        task(
            "publish",
            "publish",
            after=("train-forest",),
            display_name="Publish the winner",
            winner=TaskOutput("choose", "Output"),
        ),
    ]
    return Pipeline(
        "cancer-classifier",
        (
            InputSpec("rate", ParameterType.DOUBLE, optional=True, default=0.1, description="Learning rate"),
            InputSpec("seed", ParameterType.INTEGER, optional=True, default=7),
            InputSpec("label", ParameterType.STRING),
        ),
        (),
        {f"comp-{each.name}": each for each in components},
        Graph({each.name: each for each in tasks}),
        "Two models on the breast cancer data; the better one wins.",
        "Cancer classifier",
    )


def roc(sharpness: float) -> list[dict[str, float]]:
    """Points of a plausible curve, best threshold first."""
    points = [{"confidenceThreshold": 1.0, "recall": 0.0, "falsePositiveRate": 0.0}]
    for step in range(1, 21):
        rate = round((step / 20) ** 3, 6)
        recall = round(rate ** (1 / sharpness), 4)
        points.append(
            {"confidenceThreshold": round(1 - step / 20, 2), "recall": recall, "falsePositiveRate": rate}
        )
    return points


def confusion(*rows: tuple[int, ...], names: tuple[str, ...] = ("benign", "malignant")) -> dict[str, Any]:
    return {
        "annotationSpecs": [{"displayName": name} for name in names],
        "rows": [{"row": list(row)} for row in rows],
    }


def evaluated(
    accuracy: float, sharpness: float, *rows: tuple[int, ...]
) -> dict[str, tuple[ArtifactRecord, ...]]:
    scalars = {"accuracy": accuracy, "f1": round(accuracy - 0.012, 3), "test_rows": 143}
    shown = {"confidenceMetrics": roc(sharpness), "confusionMatrix": confusion(*rows)}
    return {
        "metrics": (ArtifactRecord("system.Metrics", "local:///metrics", "/data/metrics", scalars),),
        "roc": (ArtifactRecord("system.ClassificationMetrics", "local:///roc", "/data/roc", shown),),
    }


def created(run_id: str, target: Target | None = None) -> list[Event]:
    pipeline = classifier()
    arguments = {"rate": 0.05, "seed": 7, "label": "night"}
    first = RunCreated(
        START, run_id, pipeline.name, target or Target(), arguments, tuple(pipeline.graph.tasks)
    )
    return [first, RunChanged(START + 0.2, State.RUNNING)]


def ran(name: str, begin: float, end: float, state: State = State.SUCCEEDED, **known: Any) -> list[Event]:
    return [
        TaskChanged(START + begin, name, State.RUNNING, attempt=1),
        TaskChanged(START + end, name, state, attempt=1, **known),
    ]


def learned(name: str, begin: float, count: int, rate: float) -> list[Event]:
    return [
        MetricLogged(START + begin + step * 0.1, name, "loss", step, round(math.exp(-rate * step) + 0.08, 4))
        for step in range(count)
    ]


def running() -> RunState:
    cached = TaskChanged(START + 0.3, "load", State.SUCCEEDED, attempt=1, cached_from="run-0007")
    return folded(
        created("run-0010", Target("argo", "kind-lab", "team-a")),
        [cached],
        ran("split", 0.4, 1.64),
        [TaskChanged(START + 1.7, "train-forest", State.RUNNING, attempt=2)],
        learned("train-forest", 1.7, 12, 0.2),
        [UsageMeasured(START + 3.7, "train-forest", Usage(3.5, 240_400_000))],
        [
            TaskChanged(
                START + 1.8,
                "train-logistic",
                State.PENDING,
                reason="Unschedulable",
                message="0/3 nodes are available: 3 Insufficient nvidia.com/gpu.",
            )
        ],
    )


def succeeded() -> RunState:
    return folded(
        created("run-0011"),
        ran("load", 0.3, 0.71, outputs={}, log_tail=("569 rows",)),
        ran("split", 0.8, 1.1, inputs={"frac": 0.25}),
        [TaskChanged(START + 1.2, "train-forest", State.RUNNING, attempt=1)],
        learned("train-forest", 1.2, 30, 0.15),
        ran(
            "train-forest",
            1.2,
            5.3,
            inputs={"rate": 0.05},
            usage=Usage(7.4, 1_240_000_000, cpu_limit=2.0, memory_limit=4_000_000_000),
        )[1:],
        [TaskChanged(START + 1.2, "train-logistic", State.RUNNING, attempt=1)],
        learned("train-logistic", 1.2, 30, 0.08),
        [TaskChanged(START + 3.9, "train-logistic", State.SUCCEEDED, attempt=1, inputs={"rate": 0.05})],
        ran(
            "evaluate",
            5.4,
            6.6,
            outputs={"accuracy": 0.972},
            artifacts=evaluated(0.972, 40.0, (52, 1), (3, 87)),
        ),
        ran(
            "evaluate-2",
            4.0,
            5.1,
            outputs={"accuracy": 0.944},
            artifacts=evaluated(0.944, 16.0, (49, 4), (4, 86)),
        ),
        ran("choose", 6.7, 6.9, outputs={"Output": "forest"}, usage=Usage(0.0921, 23_600_000)),
        ran("publish", 7.0, 72.5, log_tail=("published forest",)),
        [RunChanged(START + 72.6, State.SUCCEEDED)],
    )


def failed() -> RunState:
    error = TaskError(
        "ValueError",
        "could not convert string to float: '<n/a>'",
        "Cell In[4]",
        7,
        "Traceback (most recent call last):\n"
        '  Cell In[4], line 7, in train_forest\n    x = frame["radius"].astype(float)\n'
        "ValueError: could not convert string to float: '<n/a>'\n",
    )
    skipped: list[Event] = [
        TaskChanged(START + 3.0, name, State.SKIPPED, reason="UpstreamFailed", message="train-forest failed")
        for name in ("evaluate", "choose", "publish")
    ]
    tail = ("reading /data/train_set", "427 rows, 31 columns", "fitting 200 trees & pruning <small> ones")
    return folded(
        created("run-0012"),
        ran("load", 0.3, 0.7),
        ran("split", 0.8, 1.1),
        ran("train-forest", 1.2, 3.0, State.FAILED, error=error, reason="Error", log_tail=tail),
        skipped,
        ran("train-logistic", 1.2, 3.9, usage=Usage(2.7, 2_340_000_000, memory_limit=2_000_000_000)),
        ran(
            "evaluate-2",
            4.0,
            5.1,
            outputs={"accuracy": 0.944},
            artifacts=evaluated(0.944, 16.0, (49, 4), (4, 86)),
        ),
        [RunChanged(START + 5.2, State.FAILED, "TaskFailed", "train-forest failed: ValueError")],
    )


def canceled() -> RunState:
    rest = ("evaluate", "evaluate-2", "choose", "publish")
    return folded(
        created("run-0013"),
        ran("load", 0.3, 0.7),
        ran("split", 0.8, 1.1),
        ran("train-forest", 1.2, 4.0, State.CANCELED, reason="Canceled"),
        ran("train-logistic", 1.2, 4.0, State.CANCELED, reason="Canceled"),
        [TaskChanged(START + 4.0, name, State.CANCELED, reason="Canceled") for name in rest],
        [RunChanged(START + 4.1, State.CANCELED, "Canceled", "canceled by the user")],
    )


def folded(*events: list[Event]) -> RunState:
    state: RunState | None = None
    for event in sorted((each for group in events for each in group), key=lambda each: each.time):
        state = apply(state, event)
    assert state is not None
    return state


def looped() -> tuple[Pipeline, RunState]:
    """A loop with a condition in it; its second iteration failed, its third still runs."""
    rate = f"{CHANNEL}loop-item-param-1"
    auc = f"{CHANNEL}train-Output"
    condition = f"inputs.parameter_values['{auc}'] > 0.9"
    publish = Graph({"publish": task("publish", "publish")}, group=GroupKind.CONDITION)
    body = Graph(
        {
            "train": task("train", "train", rate=PipelineInput(rate)),
            "condition-1": replace(
                task("condition-1", "condition-1", **{auc: TaskOutput("train", "Output")}),
                trigger=Trigger(condition),
            ),
        },
        group=GroupKind.LOOP,
    )
    loop = replace(
        task("for-loop-1", "for-loop-1", data=TaskOutput("load", "data")),
        loop=Loop(rate, items=(0.1, 0.2, 0.3)),
    )
    number = ParameterType.DOUBLE
    held = {
        "load": component("load", {}, {"data": DATASET}),
        "train": component("train", {"rate": number}, {"Output": number}),
        "publish": component("publish", {}, {}),
        "condition-1": replace(component("condition-1", {auc: number}, {}), implementation=publish),
        "for-loop-1": replace(component("for-loop-1", {"data": DATASET}, {}), implementation=body),
    }
    components = {f"comp-{name}": each for name, each in held.items()}
    tasks = {"load": task("load", "load"), "for-loop-1": loop}
    pipeline = Pipeline("sweep", (), (), components, Graph(tasks))
    trained, skipped = [f"for-loop-1[{index}]/train" for index in range(3)], "for-loop-1[0]/condition-1"
    state = folded(
        [RunCreated(START, "run-0014", "sweep", Target("local"), {}, ("load", "for-loop-1"))],
        [RunChanged(START + 0.1, State.RUNNING)],
        ran("load", 0.1, 0.4),
        [TaskChanged(START + 0.5, "for-loop-1", State.RUNNING)],
        ran(trained[0], 0.5, 1.5, outputs={"Output": 0.8}),
        ran(trained[1], 0.5, 1.2, State.FAILED, error=TaskError("ValueError", "rate is too high")),
        [TaskChanged(START + 0.5, trained[2], State.RUNNING, attempt=1)],
        [TaskChanged(START + 1.6, skipped, State.SKIPPED, reason="Condition")],
        [TaskChanged(START + 1.6, f"{skipped}/publish", State.SKIPPED, reason="Condition")],
    )
    return pipeline, state


def documents() -> dict[str, Any]:
    """The documents by name."""
    pipeline = classifier()
    return {
        "pipeline": document(pipeline, None),
        "running": document(pipeline, running()),
        "succeeded": document(pipeline, succeeded()),
        "failed": document(pipeline, failed()),
        "canceled": document(pipeline, canceled()),
        "open": document(pipeline, running(), saved=True),
        "looped": document(*looped()),
    }


def wording() -> dict[str, Any]:
    """For each kind of task its second line at the time `now`; and `[seconds, whole, text]` of durations."""
    began = {"attempt": 1, "started_at": START, "finished_at": START + 75.0}
    open_ended = {**began, "finished_at": None}
    known: list[dict[str, Any]] = [
        {"state": State.PENDING},
        {"state": State.PENDING, "reason": "Unschedulable"},
        {"state": State.RUNNING, **open_ended},
        {"state": State.RUNNING, **open_ended, "attempt": 2},
        {"state": State.SUCCEEDED, **began},
        {"state": State.SUCCEEDED, **began, "attempt": 3},
        {"state": State.SUCCEEDED, **began, "cached_from": "run-0007"},
        {"state": State.SUCCEEDED},
        {"state": State.SKIPPED, "reason": "UpstreamFailed"},
        {"state": State.FAILED, **began},
        {"state": State.FAILED, **began, "attempt": 3},
        {"state": State.FAILED},
        {"state": State.CANCELING, **open_ended},
        {"state": State.CANCELED, **began, "attempt": 2},
        {"state": State.PAUSED},
    ]
    now = START + 3.7
    tasks = [task_document(TaskRun(**each)) for each in known]
    seconds = (0.0, 0.44, 3.7, 9.94, 9.96, 59.4, 59.6, 75.0, 3599.4, 3599.6, 3600.0, 5400.0, 90_000.0)
    return {
        "now": now,
        "lines": [{"task": each, "line": status(each, now)} for each in tasks],
        "durations": [
            [each, whole, duration(each, whole=whole)] for each in seconds for whole in (False, True)
        ],
    }


def fixtures() -> dict[Path, str]:
    """The text of each file of the front end's tests."""
    held = {"run_documents.json": documents(), "wording.json": wording()}
    return {
        FIXTURES / name: json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        for name, value in held.items()
    }


if __name__ == "__main__":
    for path, content in fixtures().items():
        path.write_text(content, encoding="utf-8")
