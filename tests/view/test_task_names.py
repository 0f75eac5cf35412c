"""What people read for the tasks of a run, where commands take paths."""

from __future__ import annotations

import copy

import pytest

from kfp_jupyter.view.html import html
from kfp_jupyter.view.task_names import task_labels, with_names
from kfp_jupyter.view.text import text
from tests.view.examples import START, documents


@pytest.fixture
def looped() -> dict:
    """A run in which three iterations train with rates of their own, and the second has failed."""
    held = copy.deepcopy(documents()["looped"])
    for index, rate in enumerate((0.1, 0.2, 0.30000000000000004)):
        held["run"]["tasks"][f"for-loop-1[{index}]/train"]["inputs"] = {"kind": "a", "rate": rate}
    return held


def test_iterations_are_told_apart_by_the_inputs_that_differ(looped) -> None:
    names = task_labels(looped)
    assert [names[f"for-loop-1[{index}]/train"] for index in range(3)] == [
        "train #0 · rate 0.1",
        "train #1 · rate 0.2",
        "train #2 · rate 0.30000000000000004",
    ]
    assert names["load"] == "load"


def test_long_values_are_cut_and_no_more_than_two_are_told(looped) -> None:
    for index in range(3):
        looped["run"]["tasks"][f"for-loop-1[{index}]/train"]["inputs"] = {
            "words": f"{index}" + "x" * 40,
            "pipelinechannel--best-Output": {"a": [index]},
            "third": index,
        }
    name = task_labels(looped)["for-loop-1[2]/train"]
    assert name == f'train #2 · words 2{"x" * 23}… · best {{"a":[2]}}'


def test_an_iteration_whose_inputs_are_not_known_yet_has_its_number(looped) -> None:
    looped["run"]["tasks"]["for-loop-1[2]/train"]["inputs"] = {}
    assert task_labels(looped)["for-loop-1[2]/train"] == "train #2"


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("for-loop-1[1]/train failed: ValueError: bad", "train #1 failed: ValueError: bad"),
        (
            "for-loop-1[1]/train failed: E. Also failed: load, for-loop-1[2]/train and 3 more.",
            "train #1 failed: E. Also failed: load, train #2 and 3 more.",
        ),
        ("Not run because for-loop-1[0]/train was skipped.", "Not run because train #0 was skipped."),
        ("Failed: load, for-loop-1[0]/train.", "Failed: load, train #0."),
        ("elsewhere[0]/train failed: E.", "elsewhere[0]/train failed: E."),
        # The words of the user's own error are left alone.
        ("load failed: E: see for-loop-1[0]/train", "load failed: E: see for-loop-1[0]/train"),
        ("", ""),
    ],
)
def test_what_an_engine_says_names_tasks_as_people_know_them(looped, said, read) -> None:
    assert with_names(looped, said) == read


def test_texts_and_pages_tell_the_name_and_the_path_that_commands_take(looped) -> None:
    looped["run"]["message"] = "for-loop-1[1]/train failed: ValueError: rate is too high."
    for page in (text(looped, now=START + 3), html(looped, now=START + 3)):
        assert "train #1 failed: ValueError: rate is too high." in page
        assert "✗ train #1 · rate 0.2" in page
        assert "task for-loop-1[1]/train" in page
