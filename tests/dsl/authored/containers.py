"""Components that run a container's command, and their placeholders; importers."""

from typing import Dict, List, Optional

from kfp import dsl
from kfp.dsl import (
    Artifact,
    ConcatPlaceholder,
    ContainerSpec,
    Dataset,
    IfPresentPlaceholder,
    Input,
    Model,
    Output,
    OutputPath,
    container_component,
)


class Custom(Artifact):
    schema_title = "google.Custom"
    schema_version = "0.2.0"


@container_component
def plain():
    return ContainerSpec(image="alpine:3.23", command=["echo"], args=["hello"])


@container_component
def image_only():
    return dsl.ContainerSpec(image="alpine:3.23")


@container_component
def parameters(
    text: str,
    count: int,
    rate: float,
    sure: bool,
    items: list,
    table: Dict[str, int],
    out: OutputPath(str),
    number: OutputPath(int),
    word: str = "w",
    maybe: Optional[int] = None,
):
    """Takes and gives parameters.

    Args:
        text: A text.
        count: A number.
    """
    return ContainerSpec(
        image="alpine:3.23",
        command=["sh", "-c", f"echo {text} {count}"],
        args=["--rate", rate, sure, items, table, word, maybe, out, "--number", number],
    )


@container_component
def artifacts(
    data: Input[Dataset],
    several: Input[List[Dataset]],
    model: Output[Model],
    own: Output[Custom],
):
    return ContainerSpec(
        image="alpine:3.23",
        command=["train", data.path, data.uri, data.metadata, data.metadata["rows"]],
        args=["--out", model.path, model.uri, f"{own.uri}/x", own.metadata["a"], several],
    )


@container_component
def nested_placeholders(
    text: str, data: Output[Dataset], out: OutputPath(str), maybe: str = "x", other: Optional[str] = None
):
    return ContainerSpec(
        image="alpine:3.23",
        command=["run", ConcatPlaceholder(["a-", text, "-", data.uri])],
        args=[
            IfPresentPlaceholder(input_name="maybe", then=["--maybe", maybe], else_=["--none"]),
            IfPresentPlaceholder(input_name="other", then=other),
            ConcatPlaceholder(["x", IfPresentPlaceholder("other", then="y", else_=ConcatPlaceholder(["z", text]))]),
            IfPresentPlaceholder("maybe", then=[IfPresentPlaceholder("other", ["1"], ["2"]), data.path]),
            "--out",
            out,
        ],
    )


@dsl.component
def make(data: Output[Dataset]) -> str:
    return "s3://b/x"


@dsl.component
def make_several() -> str:
    return "a"


@dsl.component
def look(thing: Input[Artifact]):
    pass


@dsl.pipeline
def run_containers(text: str = "a", rate: float = 0.5):
    plain()
    image_only().set_env_variable("A", "1").set_cpu_limit("1")
    first = parameters(text=text, count=1, rate=rate, sure=True, items=[1], table={"a": 1})
    parameters(text=first.outputs["out"], count=first.outputs["number"], rate=0.1, sure=False, items=[], table={})
    nested_placeholders(text="b")
    nested_placeholders(text="b", other=text)


@dsl.pipeline
def pass_artifacts(names: List[str]):
    with dsl.ParallelFor(names):
        made = make()
    one = make()
    run = artifacts(data=one.outputs["data"], several=dsl.Collected(made.outputs["data"]))
    look(thing=run.outputs["own"])
    look(thing=run.outputs["model"])


@dsl.pipeline
def imports(uri: str = "s3://b/y", owner: str = "me", facts: dict = {"a": 1}):  # noqa: B006
    first = dsl.importer(artifact_uri="s3://b/x", artifact_class=Dataset)
    second = dsl.importer(
        artifact_uri=uri,
        artifact_class=Custom,
        reimport=True,
        metadata={"a": 1, "owner": owner, "text": f"by {owner}", "list": [1, "x", owner], "facts": facts},
    )
    third = dsl.importer(artifact_uri=make().outputs["Output"], artifact_class=Model, metadata={"b": True})
    for task in (first, second, third):
        look(thing=task.output)


@dsl.pipeline
def imports_in_groups(names: List[str], uri: str = "s3://b/y"):
    with dsl.ParallelFor(names) as name:
        look(thing=dsl.importer(artifact_uri=name, artifact_class=Dataset, metadata={"uri": uri}).output)
    with dsl.If(uri == "x"):
        dsl.importer(artifact_uri=uri, artifact_class=Artifact, reimport=False)


PIPELINES = [
    plain,
    image_only,
    parameters,
    artifacts,
    nested_placeholders,
    run_containers,
    pass_artifacts,
    imports,
    imports_in_groups,
]
