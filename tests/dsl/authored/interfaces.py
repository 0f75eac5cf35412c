"""Interfaces: types, defaults, descriptions, pythonic artifacts, lists, names; settings through TaskConfig."""

from typing import Any, Dict, List, NamedTuple, Optional

from kfp import dsl
from kfp.dsl import (
    HTML,
    Artifact,
    ClassificationMetrics,
    Dataset,
    Input,
    InputPath,
    Markdown,
    Metrics,
    Model,
    Output,
    OutputPath,
    SlicedClassificationMetrics,
)


class Results(NamedTuple):
    model: Model
    score: float
    plan: Markdown
    tags: List[str]


@dsl.component(base_image="python:3.12", packages_to_install=["pandas"], pip_index_urls=["https://a/simple"])
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
    l: list = [1, {"a": None} if False else {"a": 2}],  # noqa: B006, E741
    m: Optional[Dict[str, str]] = {"x": "y"},  # noqa: B006
    n: bool = False,
) -> Results:
    """Takes many things.

    And says so in a second paragraph.

    Args:
        a: The first.
        b: The second,
            on two lines.

    Returns:
        model: A model.
        score: A number.
    """
    return None


@dsl.component
def artifacts(
    any_: Input[Artifact],
    data: Input[Dataset],
    model: Output[Model],
    metrics: Output[Metrics],
    classification: Output[ClassificationMetrics],
    sliced: Output[SlicedClassificationMetrics],
    html: Output[HTML],
    markdown: Output[Markdown],
    plan: Output[Markdown],
    maybe: Optional[Input[Dataset]] = None,
    several: Input[List[Markdown]] = None,
):
    pass


@dsl.component
def paths(
    given: InputPath("Dataset"),
    other: InputPath(),
    text: OutputPath(str),
    number: OutputPath(int),
    table: OutputPath("Dataset"),
    items: OutputPath(List[str]),
):
    pass


@dsl.component
def pythonic(data: Dataset, plan: Markdown = None) -> Dataset:
    return data


@dsl.component(install_kfp_package=False, use_venv=True, pip_trusted_hosts=["h"])
def single(n: int) -> float:
    return 0.5


@dsl.component(
    task_config_passthroughs=[
        dsl.TaskConfigField.RESOURCES,
        dsl.TaskConfigPassthrough(field=dsl.TaskConfigField.ENV, apply_to_task=True),
    ]
)
def configured(n: int, config: dsl.TaskConfig):
    """Asks for its settings.

    Args:
        n: A number.
        config: Its settings.
    """


@dsl.component
def pythonic_data() -> Dataset:
    return None


class Given(NamedTuple):
    model: Model
    score: float


@dsl.pipeline(name="Many Things", description="Said by hand", display_name="Shown", pipeline_root="s3://b/root")
def whole(text: str, n: int = 3, items: list = ["a"], table: Optional[dict] = None) -> Given:  # noqa: B006
    """Not said.

    Args:
        text: A text.
        n: A number.

    Returns:
        model: The model.
    """
    first = many(a=text, b=n, c=1.0, d=True, e=items, f={"x": [1, 2.5]}, g=[1], h={"a": [1]})
    done = artifacts(any_=first.outputs["model"], data=pythonic_data().output)
    pythonic(data=pythonic_data().output, plan=done.outputs["plan"])
    artifacts(any_=done.outputs["html"], data=pythonic_data().output, maybe=pythonic_data().output)
    configured(n=1).set_cpu_limit("1").set_env_variable("A", "b")
    return Given(first.outputs["model"], first.outputs["score"])


@dsl.pipeline
def optional_inputs(data: Optional[Input[Dataset]] = None, n: Optional[int] = None, plan: Input[Markdown] = None):
    """Described by its docstring.

    In two paragraphs.
    """
    pythonic(data=pythonic_data().output, plan=plan)
    many(a="a", b=1, c=0.5, d=False, e=[], f={}, g=[], h={}, j=n, i="", k=2.5, m={})


@dsl.pipeline
def paths_passed():
    made = pythonic_data()
    given = paths(given=made.output, other=made.output)
    single(n=given.outputs["number"])
    pythonic(data=given.outputs["table"])


PIPELINES = [many, artifacts, paths, pythonic, single, configured, whole, optional_inputs, paths_passed]
