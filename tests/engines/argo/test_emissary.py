"""Argo's own lines are taken out of a step's log, and nothing of the step's is."""

from __future__ import annotations

import pytest

from kfp_jupyter.engines.argo.emissary import Emissary

OWN = 'time=2026-11-22T07:51:52.818Z level=INFO msg="sub-process exited" argo=true error="exit status 143"'
OLD = 'time="2024-01-02T03:04:05Z" level=info msg="sub-process exited" argo=true error="<nil>"'
END = "Error: exit status 1"


@pytest.mark.parametrize(
    ("log", "shown"),
    [
        (["a", OWN, "b", OLD], ["a", "b"]),
        ([f"no newline{OWN}"], ["no newline"]),
        (["a", OWN, END], ["a"]),
        ([END, "b"], [END, "b"]),
        ([END, OWN, END], [END]),
        (["time=2026 level=INFO msg=mine"], ["time=2026 level=INFO msg=mine"]),
        (["", "argo=true"], ["", "argo=true"]),
    ],
)
def test_lines_of_the_step_stay_and_argos_go(log: list[str], shown: list[str]) -> None:
    emissary = Emissary()
    assert [text for line in log for text in emissary.without(line)] == shown
