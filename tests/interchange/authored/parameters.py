"""Every parameter type: with and without defaults, as constants, pipeline inputs and outputs of tasks."""


from typing import Dict, List, NamedTuple, Optional

from kfp import compiler, dsl


@dsl.component
def give(
    text: str,
    count: int,
    rate: float,
    flag: bool,
    items: list,
    table: dict,
    names: List[str],
    sizes: Dict[str, int],
) -> NamedTuple(
    "Given",
    [("text", str), ("count", int), ("rate", float), ("flag", bool), ("items", list), ("table", dict)],
):
    return text, count, rate, flag, items, table


@dsl.component
def take(
    text: str = "a 'quoted' \"text\"\nof two lines",
    count: int = 3,
    rate: float = 0.5,
    whole: float = 1.0,
    flag: bool = False,
    items: list = [1, "a", True, 2.5, {"deep": [1]}],
    table: dict = {"a": 1, "b": [1, 2]},
    maybe: Optional[str] = None,
    maybe_number: Optional[int] = None,
) -> int:
    return count


@dsl.component
def nothing():
    pass


@dsl.pipeline
def parameters(
    text: str,
    count: int = 7,
    rate: float = 0.25,
    flag: bool = True,
    items: list = [1, 2],
    table: dict = {"k": "v"},
    names: List[str] = ["x"],
    optional_text: Optional[str] = None,
):
    given = give(
        text=text,
        count=count,
        rate=rate,
        flag=flag,
        items=items,
        table=table,
        names=names,
        sizes={"a": 1},
    )
    take(
        text=given.outputs["text"],
        count=given.outputs["count"],
        rate=given.outputs["rate"],
        flag=given.outputs["flag"],
        items=given.outputs["items"],
        table=given.outputs["table"],
    )
    once = take(
        text="", count=0, rate=1e-7, flag=False, items=[], table={}, maybe=optional_text, maybe_number=12
    )
    take(count=once.output, text="한국어 — {braces}: yes", items=[[1, [2, {"a": "b"}]]])
    take()
    nothing()


compiler.Compiler().compile(parameters, "parameters.yaml")
