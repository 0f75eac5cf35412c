"""The tasks of all iterations of a loop are shown as one."""

from __future__ import annotations

from kfp_jupyter.view.iterations import shown_tasks, together
from kfp_jupyter.view.task_names import task_labels
from kfp_jupyter.view.text import text
from tests.view.examples import START, documents

LOOPED = documents()["looped"]


def test_what_went_wrong_is_told_before_what_goes_on() -> None:
    shown = shown_tasks(LOOPED)
    assert (shown["for-loop-1/train"]["state"], shown["for-loop-1/train"]["tally"]) == ("FAILED", "1 of 3")
    # The loop has a task of its own, which tells by itself.
    assert shown["for-loop-1"] == LOOPED["run"]["tasks"]["for-loop-1"]


def test_several_tasks_last_from_the_first_start_to_the_last_end() -> None:
    trained = [LOOPED["run"]["tasks"][f"for-loop-1[{index}]/train"] for index in range(2)]
    both = together(trained)
    assert both["started_at"] == min(task["started_at"] for task in trained)
    assert both["finished_at"] == max(task["finished_at"] for task in trained)
    running = together([trained[0], LOOPED["run"]["tasks"]["for-loop-1[2]/train"]])
    assert (running["state"], running["tally"], running["finished_at"]) == ("RUNNING", "1 of 2", None)


def test_the_text_tells_each_group_and_of_how_many_iterations_it_speaks() -> None:
    lines = text(LOOPED, now=START + 3).splitlines()
    assert "▶ for each of 3 items  for-loop-1 · running · 2 s  ← load" in lines
    assert "   ✗ train             failed · 1 of 3" in lines
    assert "✗ train #1: ValueError: rate is too high" in lines


def test_a_task_of_a_loop_is_named_with_its_iteration_unless_two_nodes_share_the_name() -> None:
    assert list(task_labels(LOOPED).values()) == [
        "load",
        "for each of 3 items",
        "train #0",
        "train #1",
        "train #2",
        "if train > 0.9 #0",
        "publish #0",
    ]
    nodes = [{**node, "label": "train"} for node in LOOPED["graph"]["nodes"]]
    shared = {**LOOPED, "graph": {**LOOPED["graph"], "nodes": nodes}}
    assert list(task_labels(shared).values()) == list(task_labels(shared))
