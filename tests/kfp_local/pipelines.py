"""Pipelines whose steps do something that can be told from their outputs; Python steps that need no package.

Whole numbers in lists, metadata and texts are fractions where KFP runs them (`4.0`), so none is made a text.
"""

from typing import List, NamedTuple, Optional

from kfp import dsl
from kfp.dsl import (
    Artifact,
    ClassificationMetrics,
    Dataset,
    Input,
    InputPath,
    Metrics,
    Model,
    Output,
    OutputPath,
    PipelineTaskFinalStatus,
)


class Kinds(NamedTuple):
    text: str
    whole: int
    share: float
    sure: bool
    items: list
    table: dict


class Trained(NamedTuple):
    model: Model
    scores: Metrics
    rows: int


class Split(NamedTuple):
    low: list
    high: list


@dsl.component
def add(a: int, b: int = 1) -> int:
    return a + b


@dsl.component
def say(text: str) -> str:
    print(f"saying {text}")
    return text.upper()


@dsl.component
def kinds(text: str, whole: int, share: float, sure: bool, items: list, table: dict) -> Kinds:
    from collections import namedtuple

    made = namedtuple("Kinds", "text whole share sure items table")
    return made(
        text + "!", whole + 1, share / 2, not sure, [*items, "end"], {**table, "more": [1.5]}
    )


@dsl.component
def write(rows: int, data: Output[Dataset]):
    data.metadata["rows"] = str(rows)
    with open(data.path, "w") as file:
        file.write("\n".join(str(row) for row in range(rows)))


@dsl.component
def train(data: Input[Dataset], model: Output[Model], scores: Output[Metrics], rate: float = 0.1) -> int:
    with open(data.path) as file:
        rows = len(file.read().split("\n"))
    scores.log_metric("accuracy", rate * rows)
    model.metadata["framework"] = "by hand"
    with open(model.path, "w") as file:
        file.write(f"model of {rows} rows, {data.metadata['rows']} said")
    return rows


@dsl.component
def split(numbers: List[int], limit: int) -> Split:
    from collections import namedtuple

    low = [number for number in numbers if number < limit]
    return namedtuple("Split", "low high")(low, [number for number in numbers if number >= limit])


@dsl.component
def copy_file(given: InputPath("Dataset"), made: OutputPath("Dataset"), size: OutputPath(int)):
    with open(given) as source, open(made, "w") as target:
        text = source.read()
        target.write(text[::-1])
    with open(size, "w") as file:
        file.write(str(len(text)))


@dsl.component
def folder(data: Output[Artifact]):
    import os

    os.makedirs(data.path)
    with open(os.path.join(data.path, "a.txt"), "w") as file:
        file.write("in a folder")


@dsl.component
def read_folder(data: Input[Artifact]) -> str:
    import os

    with open(os.path.join(data.path, "a.txt")) as file:
        return file.read()


@dsl.component
def chart(curve: Output[ClassificationMetrics]):
    curve.log_roc_curve([0.0, 0.5, 1.0], [0.0, 0.8, 1.0], [1.0, 0.5, 0.0])
    curve.log_confusion_matrix(["cat", "dog"], [[3, 1], [0, 4]])


@dsl.component
def pythonic(data: Dataset) -> Dataset:
    made = Dataset(uri=dsl.get_uri(suffix="made"), metadata={"from": "pythonic"})
    with open(data.path) as source, open(made.path, "w") as target:
        target.write(source.read() + "\nmore")
    return made


@dsl.component
def environment(name: str) -> str:
    import os

    return os.environ.get(name, "nothing")


@dsl.component
def optional(text: Optional[str] = None, items: Optional[List[str]] = None) -> str:
    return f"{text} {items}"


@dsl.component
def total(numbers: List[int]) -> int:
    return sum(numbers)


@dsl.component
def flip(side: str) -> str:
    return side


@dsl.component
def quotes() -> str:
    # Backwards, for KFP's runner puts its own Python's path in the place of that word in arguments.
    return "python3"[::-1] + " it's \"so\" {{braces}} é漢😀 \\ $HOME\n"


@dsl.component
def fail():
    raise RuntimeError("on purpose")


@dsl.component
def clean(text: str = "none", status: PipelineTaskFinalStatus = None) -> str:
    return f"{status.state} {text}"


@dsl.pipeline
def chain(start: int = 2) -> int:
    first = add(a=start)
    second = add(a=first.output, b=10)
    return add(a=second.output, b=first.output).output


@dsl.pipeline
def all_kinds(text: str = "a", whole: int = 1, share: float = 0.5) -> Kinds:
    made = kinds(
        text=text, whole=whole, share=share, sure=True, items=[1, "b", {"c": [True]}], table={"d": 1}
    )
    return Kinds(*(made.outputs[name] for name in ("text", "whole", "share", "sure", "items", "table")))


@dsl.pipeline
def artifacts(rows: int = 3) -> Trained:
    data = write(rows=rows)
    done = train(data=data.output, rate=0.5)
    return Trained(done.outputs["model"], done.outputs["scores"], done.outputs["Output"])


@dsl.pipeline
def texts(name: str = "you", n: str = "2") -> str:
    first = say(text=f"Hello {name}, {n} times")
    return say(text=f"{first.output} and {name}").output


@dsl.pipeline
def lists(limit: int = 3) -> Split:
    made = split(numbers=[1, 2, 3, 4], limit=limit)
    again = split(numbers=made.outputs["high"], limit=4)
    return Split(made.outputs["low"], again.outputs["high"])


class Copied(NamedTuple):
    data: Dataset
    size: int


@dsl.pipeline
def files() -> Copied:
    done = copy_file(given=write(rows=4).output)
    return Copied(done.outputs["made"], done.outputs["size"])


@dsl.pipeline
def folders() -> str:
    return read_folder(data=folder().output).output


@dsl.pipeline
def charts() -> ClassificationMetrics:
    return chart().output


@dsl.pipeline
def returned_artifact() -> Dataset:
    return pythonic(data=write(rows=2).output).output


@dsl.pipeline
def variables() -> str:
    return environment(name="TOLD").set_env_variable("TOLD", "by the task").output


@dsl.pipeline
def defaults(given: str = "x") -> str:
    first = optional(text=given, items=["1"])
    return say(text=f"{first.output} {optional().output}").output


@dsl.pipeline
def odd_texts() -> str:
    return say(text=quotes().output).output


@dsl.pipeline
def inner(start: int, step: int = 5) -> int:
    return add(a=add(a=start, b=step).output, b=step).output


@dsl.pipeline
def nested(start: int = 1) -> int:
    first = inner(start=start)
    return inner(start=first.output, step=1).output


@dsl.pipeline
def waiting() -> str:
    first = say(text="first")
    return say(text="second").after(first).output


@dsl.pipeline
def branches(side: str = "tails") -> str:
    coin = flip(side=side)
    with dsl.If(coin.output == "heads"):
        heads = say(text="it is heads")
    with dsl.Elif(coin.output == "tails"):
        tails = say(text="it is tails")
    with dsl.Else():
        edge = say(text="it is the edge")
    return dsl.OneOf(heads.output, tails.output, edge.output)


@dsl.pipeline
def loop(limit: int = 10) -> int:
    with dsl.ParallelFor([1, 2, 3]) as n:
        made = add(a=n, b=limit)
    return total(numbers=dsl.Collected(made.output)).output


@dsl.pipeline
def loop_over_outputs(words: List[str] = ["a", "b"]) -> list:  # noqa: B006
    with dsl.ParallelFor(words) as word:
        said = say(text=f"<{word}>")
    return dsl.Collected(said.output)


@dsl.pipeline
def cleaning_up() -> str:
    broken = fail()
    return clean(text="cleaned").after(broken).ignore_upstream_failure().output


RUNS = [
    (chain, {"start": 5}),
    (chain, {}),
    (all_kinds, {"text": "it's", "share": 0.25}),
    (artifacts, {"rows": 4}),
    (texts, {"name": "{you}"}),
    (lists, {}),
    (files, {}),
    (folders, {}),
    (charts, {}),
    (returned_artifact, {}),
    (variables, {}),
    (defaults, {}),
    (odd_texts, {}),
    (nested, {"start": 3}),
    (waiting, {}),
    (branches, {}),
    (branches, {"side": "edge"}),
    (loop, {}),
    (loop_over_outputs, {"words": ["x", "y", "z"]}),
]
