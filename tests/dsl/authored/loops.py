"""Loops: what is looped over, nesting, parts of items, and what is collected."""

from typing import Dict, List, NamedTuple

from kfp import dsl
from kfp.dsl import Artifact, Dataset, Input, Model, Output


@dsl.component
def double(n: int) -> int:
    return 2 * n


@dsl.component
def total(numbers: List[int]) -> int:
    return sum(numbers)


@dsl.component
def say(text: str = "", other: str = "") -> str:
    return text


@dsl.component
def show(items: list = [], table: dict = {}):  # noqa: B006
    pass


@dsl.component
def words() -> List[str]:
    return ["a"]


@dsl.component
def rows() -> List[Dict[str, int]]:
    return [{"a": 1}]


@dsl.component
def anything() -> list:
    return [1]


@dsl.component
def flip() -> str:
    return "heads"


@dsl.component
def make(name: str, data: Output[Dataset]) -> str:
    return name


@dsl.component
def learn(data: Input[Dataset], model: Output[Model], rate: float = 0.1):
    pass


@dsl.component
def join(parts: Input[List[Dataset]], whole: Output[Dataset]):
    pass


@dsl.component
def compare(models: Input[List[Model]]) -> float:
    return 0.5


@dsl.pipeline
def written_items(base: int = 1):
    with dsl.ParallelFor([1, 2, 3]) as n:
        double(n=n)
        double(n=base)
    with dsl.ParallelFor(["a", "b"], name="Words", parallelism=2) as word:
        say(text=word)
    with dsl.ParallelFor([{"a": 1, "b": 2}]) as row:
        double(n=row.a)
        show(table=row)
    with dsl.ParallelFor([1.5, 2.5], parallelism=0) as share:
        show(items=[1, "a", {"b": [True, None] if False else [True]}])
        learn(data=make(name="x").outputs["data"], rate=share)
    with dsl.ParallelFor([[1], [2, 3]]) as numbers:
        total(numbers=numbers)


@dsl.pipeline
def parameters_and_outputs(names: List[str], table: List[Dict[str, str]], plain: list = [1]):  # noqa: B006
    with dsl.ParallelFor(names) as name:
        say(text=name)
    with dsl.ParallelFor(table) as row:
        say(text=row.first, other=row.second)
    with dsl.ParallelFor(plain) as item:
        say(text=item)
    with dsl.ParallelFor(words().output) as word:
        say(text=word)
    with dsl.ParallelFor(rows().output) as row:
        double(n=row.a)
    with dsl.ParallelFor(anything().output) as item:
        show(table=item)


@dsl.pipeline
def nested(names: List[str], table: list = [{"inner": [1]}]):  # noqa: B006
    with dsl.ParallelFor(names) as outer:
        first = say(text=outer)
        with dsl.ParallelFor(words().output) as inner:
            say(text=outer, other=inner)
            say(text=first.output)
        with dsl.ParallelFor(["x", "y"]) as written:
            say(text=written, other=outer)
    with dsl.ParallelFor(table) as row:
        with dsl.ParallelFor(row.inner) as item:
            say(text=item)
    with dsl.ParallelFor([1, 2]) as a:
        with dsl.ParallelFor([3, 4]) as b:
            with dsl.ParallelFor([5, 6]) as c:
                double(n=a)
                double(n=b)
                double(n=c)


@dsl.pipeline
def with_conditions(names: List[str], limit: int = 2):
    coin = flip()
    with dsl.ParallelFor(names) as name:
        with dsl.If(name == "a"):
            say(text=name)
        with dsl.If(coin.output == "heads"):
            say(text=name, other=coin.output)
    with dsl.If(coin.output == "tails"):
        with dsl.ParallelFor([1, 2]) as n:
            with dsl.If(n > limit):
                double(n=n)
    with dsl.ParallelFor(rows().output) as row:
        with dsl.If(row.a == 1):
            double(n=row.a)


@dsl.pipeline
def collected(names: List[str]) -> int:
    with dsl.ParallelFor([1, 2, 3]) as n:
        first = double(n=n)
        second = double(n=first.output)
    total(numbers=dsl.Collected(first.output))
    with dsl.ParallelFor(names) as name:
        made = make(name=name)
        learned = learn(data=made.outputs["data"])
    join(parts=dsl.Collected(made.outputs["data"]))
    compare(models=dsl.Collected(learned.outputs["model"]))
    show(items=dsl.Collected(made.outputs["Output"]))
    return total(numbers=dsl.Collected(second.output)).output


@dsl.pipeline
def collected_twice() -> List[int]:
    with dsl.ParallelFor([1, 2]) as a:
        outer = double(n=a)
        with dsl.ParallelFor([3, 4]) as b:
            inner = double(n=b)
        total(numbers=dsl.Collected(inner.output))
    show(items=dsl.Collected(inner.output))
    return dsl.Collected(outer.output)


class Both(NamedTuple):
    numbers: List[int]
    datasets: List[Dataset]


@dsl.pipeline
def returned_lists(names: List[str]) -> Both:
    with dsl.ParallelFor(names) as name:
        with dsl.ParallelFor([1, 2]) as n:
            doubled = double(n=n)
        made = make(name=name)
    return Both(dsl.Collected(doubled.output), dsl.Collected(made.outputs["data"]))


@dsl.pipeline
def make_all(names: List[str]) -> List[Dataset]:
    with dsl.ParallelFor(names) as name:
        made = make(name=name)
    return dsl.Collected(made.outputs["data"])


@dsl.pipeline
def over_artifacts(names: List[str], rate: float = 0.1):
    several = make_all(names=names)
    with dsl.ParallelFor(several.output) as data:
        learn(data=data, rate=rate)
    with dsl.ParallelFor(several.output, name="again", parallelism=1) as data:
        learned = learn(data=data)
    compare(models=dsl.Collected(learned.outputs["model"]))


@dsl.pipeline
def collected_in_groups(names: List[str], limit: int = 2):
    with dsl.ParallelFor([1, 2]) as n:
        doubled = double(n=n)
    with dsl.If(limit == 2):
        total(numbers=dsl.Collected(doubled.output))
    with dsl.ParallelFor(names) as name:
        say(text=name)
        total(numbers=dsl.Collected(doubled.output))


@dsl.pipeline
def waiting(names: List[str]):
    start = say(text="start")
    with dsl.ParallelFor(names) as name:
        inside = say(text=name).after(start)
        say(text=name).after(inside)
    say(text="end").after(inside)
    with dsl.ParallelFor(names) as name:
        say(text=name).after(inside)


@dsl.pipeline
def parts_of_items(table: List[Dict[str, str]]):
    with dsl.ParallelFor(table) as row:
        with dsl.If(row.a != "x"):
            say(text=row.a).set_cpu_limit(row.a)
            say(text=row.b)


PIPELINES = [
    written_items,
    parameters_and_outputs,
    nested,
    with_conditions,
    collected,
    collected_twice,
    returned_lists,
    over_artifacts,
    collected_in_groups,
    waiting,
    parts_of_items,
]
