"""Components and pipelines to be called."""

from __future__ import annotations

from typing import NamedTuple

from kfp_jupyter import dsl
from kfp_jupyter.dsl import Dataset, Input, Metrics, Model, Output


class Trained(NamedTuple):
    model: Model
    rows: int


@dsl.component
def add(a: int, b: int = 1) -> int:
    print(f"adding {a} and {b}")  # noqa: T201 - what it prints is asked for
    return a + b


@dsl.component
def write(rows: int, data: Output[Dataset]):
    data.metadata["rows"] = rows
    with open(data.path, "w") as file:  # noqa: PTH123 - runs in the step
        file.write("x\n" * rows)


@dsl.component
def train(data: Input[Dataset], model: Output[Model], scores: Output[Metrics]) -> int:
    with open(data.path) as file:  # noqa: PTH123 - runs in the step
        rows = len(file.readlines())
    scores.log_metric("rows", rows)
    model.metadata["of"] = f"{data.metadata.get('rows')} rows, {type(data).__name__}"
    with open(model.path, "w") as file:  # noqa: PTH123 - runs in the step
        file.write("a model")
    return rows


@dsl.component
def fail(message: str = "on purpose") -> str:
    raise RuntimeError(message)


@dsl.component
def note(path: str) -> str:
    with open(path, "a") as file:  # noqa: PTH123 - runs in the step
        file.write("noted\n")
    return path


@dsl.pipeline
def whole(rows: int = 2) -> Trained:
    trained = train(data=write(rows=rows).output)
    return Trained(trained.outputs["model"], trained.outputs["Output"])
