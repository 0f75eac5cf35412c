"""Names as Kubernetes takes them, and Argo's own."""

from __future__ import annotations

import re

import pytest

from kfp_jupyter.engines.argo.names import label_value, node_id, pod_name, task_names, workflow_name


@pytest.mark.parametrize(
    ("run_id", "expected"),
    [
        ("iris-20261122-1a2b", "iris-20261122-1a2b"),
        ("Not_A_Name", "iris-"),
        ("x" * 64, "iris-"),
        ("é", "iris-"),
    ],
)
def test_a_workflow_is_named_after_its_run(run_id: str, expected: str) -> None:
    name = workflow_name(run_id, "iris")
    assert name.startswith(expected)
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", name)
    assert name == workflow_name(run_id, "iris")


def test_runs_that_need_another_name_get_different_ones() -> None:
    assert workflow_name("A", "iris") != workflow_name("B", "iris")


def test_a_label_is_shortened_to_what_kubernetes_takes() -> None:
    assert label_value("team.a_B") == "team.a_B"
    long = label_value("notebooks/" + "x" * 100)
    assert len(long) <= 63
    assert re.fullmatch(r"[a-z0-9][-a-z0-9]*[a-z0-9]", long)


def test_task_names_begin_with_a_letter_and_stay_apart() -> None:
    names = task_names(["train", "2nd-step", "a_b", "a-b", "x/y", "x.y"])
    assert names["train"] == "train"
    assert names["2nd-step"] == "t-2nd-step"
    assert len(set(names.values())) == 6
    assert all(re.fullmatch(r"[a-zA-Z][-a-zA-Z0-9]*", name) for name in names.values())


def test_ids_and_pod_names_are_argos() -> None:
    # Pairs from Argo's own test data.
    assert (
        node_id("dag-primay-branch-sd6rg", "dag-primay-branch-sd6rg.A")
        == "dag-primay-branch-sd6rg-1815625391"
    )
    assert node_id("many-items-z26lj", "many-items-z26lj[0].sleep(9:nine)") == "many-items-z26lj-2619926859"
    assert node_id("wf", "wf") == "wf"


def test_a_pod_is_named_after_its_template_and_node() -> None:
    node = "many-items-z26lj[0].sleep(9:nine)"
    assert pod_name("many-items-z26lj", node, "sleep") == "many-items-z26lj-sleep-2619926859"
    assert pod_name("many-items-z26lj", node, "sleep", version="v1") == "many-items-z26lj-2619926859"
    assert len(pod_name("w" * 63, "n", "t" * 300)) <= 253
