"""Conditions: operators and types, branches, nesting, and what is chosen from branches."""

from typing import List

from kfp import dsl
from kfp.dsl import Artifact, Dataset, Input, Model, Output


@dsl.component
def flip() -> str:
    return "heads"


@dsl.component
def number() -> int:
    return 3


@dsl.component
def share() -> float:
    return 0.5


@dsl.component
def truth() -> bool:
    return True


@dsl.component
def say(text: str = "", n: int = 0) -> str:
    return text


@dsl.component
def make(data: Output[Dataset]) -> int:
    return 1


@dsl.component
def learn(data: Input[Dataset], model: Output[Model]):
    pass


@dsl.component
def look(thing: Input[Artifact]):
    pass


@dsl.pipeline
def operators(word: str = "x", count: int = 1, rate: float = 0.5, sure: bool = True):
    n = number().output
    with dsl.If(n == 1):
        say()
    with dsl.If(n != 2):
        say()
    with dsl.If(n < 3):
        say()
    with dsl.If(n <= 4):
        say()
    with dsl.If(n > 5):
        say()
    with dsl.If(n >= 6):
        say()
    with dsl.If(word == "it is"):
        say()
    with dsl.If(count == 7):
        say()
    with dsl.If(rate > 0.25):
        say()
    with dsl.If(rate > 1):
        say()
    with dsl.If(n > 1.5):
        say()
    with dsl.If(sure == True):  # noqa: E712
        say()
    with dsl.If(truth().output == False, "a name"):  # noqa: E712
        say()


@dsl.pipeline
def between_outputs(limit: int = 3, rate: float = 0.1):
    first, second = number(), number()
    with dsl.If(first.output > second.output):
        say(n=first.output)
    with dsl.If(first.output == limit):
        say(n=limit)
    with dsl.If(share().output >= first.output):
        say()
    with dsl.If(rate != share().output):
        say()


@dsl.pipeline
def nested(word: str = "a"):
    coin = flip()
    with dsl.If(coin.output == "heads"):
        inner = number()
        with dsl.If(inner.output > 2):
            say(text=coin.output)
            with dsl.If(word == "a"):
                say(text=word, n=inner.output)
        say(n=inner.output)
    with dsl.Condition(coin.output == "tails"):
        say(text="tails")


@dsl.pipeline
def branches(word: str = "a") -> str:
    coin = flip()
    with dsl.If(coin.output == "heads"):
        heads = say(text="heads")
    with dsl.Elif(coin.output == "tails"):
        tails = say(text=word)
    with dsl.Elif(word == "b"):
        other = say(text=coin.output)
    with dsl.Else():
        edge = say(text="edge")
    chosen = dsl.OneOf(heads.output, tails.output, other.output, edge.output)
    say(text=chosen)
    say(text=chosen)
    return chosen


@dsl.pipeline
def chosen_artifacts() -> Dataset:
    coin = flip()
    with dsl.If(coin.output == "heads"):
        first = make()
    with dsl.Else():
        second = make()
    chosen = dsl.OneOf(first.outputs["data"], second.outputs["data"])
    learn(data=chosen)
    look(thing=chosen)
    return chosen


@dsl.pipeline
def several_choices() -> str:
    coin = flip()
    with dsl.If(coin.output == "heads"):
        first, number_1 = say(text="a"), number()
    with dsl.Else():
        second, number_2 = say(text="b"), number()
    word = dsl.OneOf(first.output, second.output)
    say(text=word, n=dsl.OneOf(number_1.output, number_2.output))
    return word


@dsl.pipeline
def choice_used_in_groups(items: List[str] = ["a"]):  # noqa: B006
    coin = flip()
    with dsl.If(coin.output == "heads"):
        first = say(text="a")
    with dsl.Else():
        second = say(text="b")
    word = dsl.OneOf(first.output, second.output)
    with dsl.ParallelFor(items) as item:
        say(text=item)
        say(text=word)


@dsl.pipeline
def choice_inside_a_group(word: str = "a"):
    with dsl.If(word == "a"):
        coin = flip()
        with dsl.If(coin.output == "heads"):
            first = say(text="a")
        with dsl.Else():
            second = say(text="b")
        say(text=dsl.OneOf(first.output, second.output))


@dsl.pipeline
def choice_of_nested_branches(word: str = "a"):
    with dsl.If(word == "a"):
        with dsl.If(flip().output == "heads"):
            first = say(text="a")
    with dsl.Else():
        second = say(text="b")
    third = say(text="c").after(say())
    say(text=dsl.OneOf(second.output, first.output)).after(third)


@dsl.pipeline
def tasks_between_branches():
    coin = flip()
    with dsl.If(coin.output == "heads"):
        say(text="a")
    say(text="between")
    with dsl.Else():
        say(text="b")
    with dsl.If(coin.output == "again"):
        say()


PIPELINES = [
    operators,
    between_outputs,
    nested,
    branches,
    chosen_artifacts,
    several_choices,
    choice_used_in_groups,
    choice_inside_a_group,
    choice_of_nested_branches,
    tasks_between_branches,
]
