"""Drawn programs: the text of a file for KFP with components, pipelines of them, and one to be `compiled`.

A program is written from the top to the bottom, and what may be used where is known while it is written: the
values of the bodies around, of a loop that has ended through `Collected`, of branches that all have ended
through `OneOf`. Seldom it takes any value that there is, which KFP mostly refuses.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from tests.differential.bodies import Body
from tests.differential.chance import Chance
from tests.differential.interfaces import (
    PRELUDE,
    Callee,
    Port,
    draw_component,
    draw_inputs,
    signature,
)

NAMES = ("say", "load_rows", "say_2", "train", "exit_1", "Score", "a", "in_0")


@st.composite
def programs(draw: Callable[[st.SearchStrategy[Any]], Any]) -> str:
    """Draw a program."""
    chance = Chance(draw)
    parts = [PRELUDE]
    callees = []
    for number in range(chance.number(1, 4)):
        callees.append(draw_component(chance, NAMES[number], is_first=number == 0))
        parts.append(callees[-1].source)
    count = 1 if chance.of(70) else chance.number(1, 3)
    for number in range(count):
        pipeline = _pipeline(chance, f"whole_{number}", callees, is_inner=number < count - 1)
        callees.append(pipeline)
        parts.append(pipeline.source)
    parts.append(f"compiled = whole_{count - 1}\n")
    return "".join(parts)


def _pipeline(chance: Chance, name: str, callees: list[Callee], is_inner: bool) -> Callee:
    ports = [
        Port(f"of_{port.name}", port.hint, port.optional)
        for port in draw_inputs(chance, False, chance.number(0, 3))
    ]
    body = Body(chance, callees, ports, is_inner)
    text = body.write()
    before, outputs, arrow = "", [], ""
    returned = body.returnable()
    how = chance.number(0, 3) if returned else 0
    if how == 1:
        value = chance.one(returned)
        outputs = [Port("Output", value.hint)]
        arrow, last = f" -> {value.hint}", f"    return {value.text}\n"
    elif how > 1:
        values = [chance.one(returned) for _ in range(how - 1)]
        outputs = [Port(f"given_{number}", value.hint) for number, value in enumerate(values)]
        fields = "".join(f"    {port.name}: {port.hint}\n" for port in outputs)
        before = f"class Given{name.title().replace('_', '')}(NamedTuple):\n{fields}\n\n"
        arrow = f" -> Given{name.title().replace('_', '')}"
        last = f"    return {arrow[4:]}({', '.join(value.text for value in values)})\n"
    else:
        last = ""
    options = chance.one(("", "", '(description="Said", display_name="Shown")', '(pipeline_root="s3://b/r")'))
    source = (
        f"{before}@dsl.pipeline{options}\ndef {name}({signature(chance, ports)}){arrow}:\n{text}{last}\n\n"
    )
    return Callee(name, tuple(ports), tuple(outputs), source, "pipeline")
