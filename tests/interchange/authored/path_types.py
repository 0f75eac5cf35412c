"""Paths whose types are named: parameters by the names of KFP's first version, artifacts in any case."""

from kfp import compiler, dsl
from kfp.dsl import InputPath, OutputPath


@dsl.component
def write(
    integer: OutputPath("Integer"),
    number: OutputPath("Float"),
    text: OutputPath("String"),
    flag: OutputPath("Boolean"),
    listed: OutputPath("List"),
    mapped: OutputPath("Dict"),
    model: OutputPath("model"),
    table: OutputPath("CSV"),
):
    pass


@dsl.component
def read(
    integer: InputPath("Integer"),
    text: InputPath("String"),
    listed: InputPath("List"),
    model: InputPath("Model"),
    table: InputPath("CSV"),
):
    pass


@dsl.pipeline(name="path-types")
def path_types():
    made = write().outputs
    read(
        integer=made["integer"],
        text=made["text"],
        listed=made["listed"],
        model=made["model"],
        table=made["table"],
    )


compiler.Compiler().compile(path_types, "path_types.yaml")
