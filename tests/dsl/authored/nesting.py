"""Pipelines in pipelines: names that meet, optional inputs, artifacts, groups, several levels."""

from typing import List, NamedTuple, Optional

from kfp import dsl
from kfp.dsl import Dataset, Input, Output


@dsl.component
def say(text: str = "", n: int = 0) -> str:
    return text


@dsl.component
def make(data: Output[Dataset], rows: int = 1) -> int:
    return rows


@dsl.component
def use(data: Input[Dataset] = None, n: Optional[int] = None) -> int:
    return 1


class Made(NamedTuple):
    data: Dataset
    rows: int


@dsl.pipeline
def make_data(rows: int = 3) -> Made:
    made = make(rows=rows)
    return Made(data=made.outputs["data"], rows=made.outputs["Output"])


@dsl.pipeline
def talk(text: str, n: int = 2) -> str:
    first = say(text=text, n=n)
    return say(text=first.output).output


@dsl.pipeline
def once(text: str = "a"):
    say(text=text)
    talked = talk(text=text)
    say(text=talked.output)


@dsl.pipeline
def twice(text: str = "a"):
    talk(text=text)
    talk(text="b", n=5)
    say(text="c")
    talk(text=say().output)


@dsl.pipeline
def with_artifacts() -> Dataset:
    made = make_data(rows=9)
    use(data=made.outputs["data"], n=made.outputs["rows"])
    return made.outputs["data"]


@dsl.pipeline
def consume(data: Input[Dataset], again: Optional[int] = None) -> int:
    return use(data=data, n=again).output


@dsl.pipeline
def passed_on():
    made = make()
    consume(data=made.outputs["data"])
    consume(data=made.outputs["data"], again=made.outputs["Output"])


@dsl.pipeline
def three_levels(text: str = "a") -> str:
    inner = once(text=text)
    say(text="x").after(inner)
    return talk(text="y").output


@dsl.pipeline
def four_levels():
    upper = three_levels()
    three_levels(text=upper.output)
    say(text="z").after(upper)


@dsl.pipeline
def with_groups(names: List[str], limit: int = 1):
    with dsl.ParallelFor(names) as name:
        talk(text=name, n=limit)
    with dsl.If(limit > 1):
        talk(text="b")
        once()


@dsl.pipeline
def loops_inside(names: List[str]) -> List[str]:
    with dsl.ParallelFor(names) as name:
        said = say(text=name)
    return dsl.Collected(said.output)


@dsl.component
def show(items: list):
    pass


@dsl.pipeline
def groups_of_both(names: List[str], limit: int = 1):
    with dsl.If(limit == 1):
        first = loops_inside(names=names)
        show(items=first.output)
    with dsl.ParallelFor(names) as name:
        say(text=name)
    second = loops_inside(names=names)
    with dsl.ParallelFor(second.output) as word:
        say(text=word)


@dsl.pipeline
def chosen() -> str:
    coin = say(text="heads")
    with dsl.If(coin.output == "heads"):
        a = say(text="a")
    with dsl.Else():
        b = talk(text="b")
    return dsl.OneOf(a.output, b.output)


@dsl.pipeline
def chosen_outside():
    word = chosen()
    say(text=word.output)
    chosen()


@dsl.pipeline
def everything_returned() -> Made:
    return make_data().outputs


PIPELINES = [
    make_data,
    once,
    twice,
    with_artifacts,
    passed_on,
    three_levels,
    four_levels,
    with_groups,
    groups_of_both,
    chosen_outside,
    everything_returned,
]
