"""What is written is read as the same by every reader, not only by Python's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kfp_jupyter.engines.argo.manifest import to_yaml
from kfp_jupyter.interchange.yaml_text import dump
from tests.cluster.go_yaml import read_yaml

MISTAKEN = [
    *(
        "1e-05",
        "1e3",
        ".5e3",
        "+.5e-3",
        "-1e+22",
        "12e03",
        "1.",
        ".5",
        "1",
        "-1",
        "+1",
        ".inf",
        "-.INF",
        ".NaN",
    ),
    *(
        "0o17",
        "017",
        "0x1F",
        "0b1",
        "1_0",
        "y",
        "Y",
        "n",
        "N",
        "yes",
        "No",
        "on",
        "OFF",
        "TRUE",
        "true",
        "null",
    ),
    *("~", "2020-01-01", "12:30:45"),
]
PLAIN = [
    "",
    " lead",
    "trail ",
    "- a",
    "x: y",
    "x #y",
    "a\n b\n\n",
    "\n",
    "\ttab",
    "{",
    "&a",
    "!x",
    "é\x7f",
    "s3://b",
]


@pytest.mark.parametrize("write", [lambda held: dump([held]), to_yaml], ids=["interchange", "argo"])
@pytest.mark.parametrize("text", MISTAKEN + PLAIN)
def test_a_text_is_read_as_that_text_by_kubernetes_too(text: str, write: Callable[[Any], str]) -> None:
    assert read_yaml(write({"value": text, "list": [text]})) == {"value": text, "list": [text]}


def test_the_reader_of_this_test_takes_numbers_as_go_does() -> None:
    assert [type(held).__name__ for held in read_yaml("[1e-05, 0o17, y, 1e3x]")] == [
        "NotText", "NotText", "NotText", "str",
    ]  # fmt: skip
