"""Pipelines that the tests compile and run, written in the model's own terms."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

from kfp_jupyter.model.component import Component, Fragment, InputSpec, OutputSpec, PythonStep, Source
from kfp_jupyter.model.pipeline import (
    Constant,
    Graph,
    Pipeline,
    PipelineInput,
    Task,
    TaskOutput,
    TaskSettings,
    Value,
)
from kfp_jupyter.model.types import ArtifactType, Json, ParameterType, ValueType

TEXT, INT, FLOAT = ParameterType.STRING, ParameterType.INTEGER, ParameterType.DOUBLE
DATASET, MODEL, METRICS = (ArtifactType(f"system.{name}") for name in ("Dataset", "Model", "Metrics"))
HEAD = "from typing import NamedTuple\nfrom kfp_jupyter.dsl import *\n"


def component(
    name: str,
    source: str,
    inputs: Mapping[str, ValueType] | None = None,
    outputs: Mapping[str, ValueType] | None = None,
    *,
    defaults: Mapping[str, Json] | None = None,
    cell: str = "Cell In[1]",
    first_line: int = 2,
    packages: tuple[str, ...] = (),
) -> Component:
    """Return a Python component whose function `name` stands in a cell below a magic line."""
    defaults = defaults or {}
    fragments = (
        Fragment(HEAD, "kfp_jupyter"),
        Fragment(textwrap.dedent(source).lstrip("\n"), cell, first_line),
    )
    specs = (
        InputSpec(key, type_, optional=key in defaults, default=defaults.get(key))
        for key, type_ in (inputs or {}).items()
    )
    made = tuple(OutputSpec(key, type_) for key, type_ in (outputs or {}).items())
    step = PythonStep(Source(fragments), name.replace("-", "_"), "python:3.11", packages)
    return Component(name, tuple(specs), made, step)


def task(
    name: str,
    of: str = "",
    settings: TaskSettings | None = None,
    after: tuple[str, ...] = (),
    **arguments: Value | Json,
) -> Task:
    """Return a task; an argument that is no `Value` is a constant."""
    values = {
        key: held if isinstance(held, (Constant, PipelineInput, TaskOutput)) else Constant(held)
        for key, held in arguments.items()
    }
    return Task(name, f"comp-{of or name}", values, after, settings or TaskSettings())


def pipeline(
    name: str,
    components: tuple[Component, ...],
    tasks: tuple[Task, ...],
    inputs: Mapping[str, ValueType] | None = None,
) -> Pipeline:
    """Return a pipeline of components and tasks."""
    return Pipeline(
        name,
        tuple(InputSpec(key, type_) for key, type_ in (inputs or {}).items()),
        (),
        {f"comp-{held.name}": held for held in components},
        Graph({held.name: held for held in tasks}),
    )


def training() -> Pipeline:
    """A small training: parameters and artifacts, several outputs, metrics, one component used twice."""
    load = component(
        "load",
        """
        def load(rows: int, data: Output[Dataset]) -> NamedTuple("Out", [("rows", int), ("title", str)]):
            from collections import namedtuple
            with open(data.path, "w") as file:
                file.writelines(f"{number},{number % 2}\\n" for number in range(rows))
            data.metadata["columns"] = ["x", "even"]
            return namedtuple("Out", ["rows", "title"])(rows, "it's {{title}} & 'quotes' é😀")
        """,
        {"rows": INT},
        {"data": DATASET, "rows": INT, "title": TEXT},
    )
    train = component(
        "train",
        """
        def train(
            data: Input[Dataset], rate: float, model: Output[Model], options: dict = None, note: str = "none"
        ):
            lines = open(data.path).read().split()
            open(model.path, "w").write(f"{len(lines)} {rate} {options} {note}")
            model.metadata["framework"] = "none"
            model.metadata["columns"] = data.metadata["columns"]
            print("trained on", len(lines), "rows")
        """,
        {"data": DATASET, "rate": FLOAT, "options": ParameterType.STRUCT, "note": TEXT},
        {"model": MODEL},
        defaults={"options": None, "note": "none"},
        cell="Cell In[2]",
    )
    evaluate = component(
        "evaluate",
        """
        def evaluate(model: Input[Model], title: str, metrics: Output[Metrics]) -> float:
            rows, rate = open(model.path).read().split()[:2]
            for step in range(3):
                metrics.log_metric("loss", 1 / (step + 1), step=step)
            metrics.log_metric("accuracy", float(rate) * int(rows))
            print("evaluated", title)
            return float(rate) * int(rows)
        """,
        {"model": MODEL, "title": TEXT},
        {"metrics": METRICS, "Output": FLOAT},
        cell="Cell In[3]",
    )
    return pipeline(
        "small-training",
        (load, train, evaluate),
        (
            task("load", rows=PipelineInput("rows")),
            task("train", data=TaskOutput("load", "data"), rate=PipelineInput("rate")),
            task(
                "train-2",
                "train",
                data=TaskOutput("load", "data"),
                rate=0.5,
                options={"a": {"b": ["{{x}}", "it's"]}},
                note="{{workflow.name}}",
            ),
            task("evaluate", model=TaskOutput("train", "model"), title=TaskOutput("load", "title")),
            task("evaluate-2", "evaluate", model=TaskOutput("train-2", "model"), title="plain"),
        ),
        {"rows": INT, "rate": FLOAT},
    )
