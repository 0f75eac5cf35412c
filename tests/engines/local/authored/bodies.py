"""Steps that can be run, for those of `tests/dsl/authored` that only have an interface; found by their names."""

from typing import Dict, List, NamedTuple, Optional

from kfp_jupyter import dsl
from kfp_jupyter.dsl import Dataset, Input, InputPath, Markdown, Model, OutputPath


@dsl.component
def two() -> NamedTuple("Two", [("first", str), ("second", int)]):
    return "a", 1


@dsl.component
def pythonic_data() -> Dataset:
    return Dataset(uri=dsl.get_uri(), metadata={"made": True})


@dsl.component
def pythonic(data: Dataset, plan: Markdown = None) -> Dataset:
    assert isinstance(data, Dataset)
    return data


@dsl.component
def many(
    a: str,
    b: int,
    c: float,
    d: bool,
    e: list,
    f: dict,
    g: List[int],
    h: Dict[str, List[int]],
    i: str = "x",
    j: Optional[int] = None,
    k: float = 1,
    l: list = [1, {"a": 2}],
    m: Optional[Dict[str, str]] = {"x": "y"},
    n: bool = False,
) -> NamedTuple("Results", [("model", Model), ("score", float), ("plan", Markdown), ("tags", List[str])]):
    given = [a, b, c, d, e, f, g, h, i, j, k, l, m, n]
    assert [type(each) for each in given[:9]] == [str, int, float, bool, list, dict, list, dict, str], given
    return Model(uri=dsl.get_uri("model")), c, Markdown(uri=dsl.get_uri("plan")), [a, i]


@dsl.component
def artifacts(
    any_: Input[dsl.Artifact],
    data: Input[Dataset],
    model: dsl.Output[Model],
    metrics: dsl.Output[dsl.Metrics],
    classification: dsl.Output[dsl.ClassificationMetrics],
    sliced: dsl.Output[dsl.SlicedClassificationMetrics],
    html: dsl.Output[dsl.HTML],
    markdown: dsl.Output[Markdown],
    plan: dsl.Output[Markdown],
    maybe: Optional[Input[Dataset]] = None,
    several: Input[List[Markdown]] = None,
):
    metrics.log_metric("given", sum(each is not None for each in (any_, data, maybe)))


@dsl.component
def paths(
    given: InputPath("Dataset"),
    other: InputPath(),
    text: OutputPath(str),
    number: OutputPath(int),
    table: OutputPath("Dataset"),
    items: OutputPath(List[str]),
):
    import pathlib

    for path, held in ((text, given), (number, "7"), (table, "a,b"), (items, '["x"]')):
        pathlib.Path(path).write_text(held)


BODIES = {held.name: held for held in (two, pythonic_data, pythonic, many, artifacts, paths)}
