"""Groups are told in their author's words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kfp_jupyter.model.graph import Loop, Trigger
from kfp_jupyter.model.pipeline import GroupKind
from kfp_jupyter.view.groups import spoken, titles
from tests.view.examples import component, task

FLIP = "inputs.parameter_values['pipelinechannel--flip-Output']"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("pipelinechannel--flip-Output", "flip"),
        ("pipelinechannel--rate", "rate"),
        ("pipelinechannel--names-loop-item", "item of names"),
        ("pipelinechannel--rows-Output-loop-item", "item of rows"),
        ("pipelinechannel--rows-Output-loop-item-subvar-a", "item.a of rows"),
        ("pipelinechannel--loop-item-param-3", "item"),
        ("pipelinechannel--loop-item-param-3-subvar-a", "item.a"),
        ("text", "text"),
    ],
)
def test_values_have_their_authors_names(name: str, said: str) -> None:
    assert spoken(name) == said


@pytest.mark.parametrize(
    ("condition", "within", "said"),
    [
        (f"{FLIP} == 'heads'", GroupKind.PIPELINE, "if flip == 'heads'"),
        (f"double(int({FLIP})) > 1.5", GroupKind.PIPELINE, "if flip > 1.5"),
        (f"!({FLIP} == 'heads') && {FLIP} == 'tails'", GroupKind.BRANCHES, "else if flip == 'tails'"),
        (f"!({FLIP} == 'heads') && !({FLIP} == 'tails')", GroupKind.BRANCHES, "else"),
        (f"!(int({FLIP}) == 1) && !(int({FLIP}) == 2)", GroupKind.BRANCHES, "else"),
        (f"!({FLIP} == 'heads')", GroupKind.PIPELINE, "if !(flip == 'heads')"),
    ],
)
def test_conditions_read_as_they_were_written(condition: str, within: GroupKind, said: str) -> None:
    conditional = replace(task("condition-2", "condition-2"), trigger=Trigger(condition))
    assert titles(conditional, component("condition-2", {}, {}), within) == (said, "condition-2")


def test_a_loop_names_its_items_and_a_given_name_comes_first() -> None:
    loop = replace(task("for-loop-1", "c"), loop=Loop("item", items_input="pipelinechannel--load-Output"))
    assert titles(loop, component("c", {}, {}), GroupKind.PIPELINE) == ("for each of load", "for-loop-1")
    named = replace(task("for-loop-1", "c", display_name="Sweep"), loop=Loop("item", items=(1,)))
    assert titles(named, component("c", {}, {}), GroupKind.PIPELINE) == ("Sweep", "for each of 1 item")
