"""The YAML we write is read as what was written, by every reader, and shows sources as they are."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from kfp_jupyter.interchange.errors import InterchangeError
from kfp_jupyter.interchange.load import load
from kfp_jupyter.interchange.yaml_text import dump

PIECES = (
    "a",
    " ",
    "  ",
    "    b",
    "\n",
    "\t",
    "\r",
    "\0",
    "\x1b",
    "\x85",
    "\u2028",
    "\ufeff",
    "é",
    "😀",
    "x" * 80,
)
MARKS = (*"#:-\"'\\|>&*!%@`{}[],?=~", ": ", "- ", "---", "...", "<<")
WORDS = ("1", "1e3", "true", "no", ".inf", "0x1F", "1:30", "2020-01-01")
TEXTS = st.text() | st.lists(st.sampled_from(PIECES + MARKS + WORDS), max_size=8).map("".join)
NUMBERS = st.integers(-(10**30), 10**30) | st.floats(allow_nan=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@given(VALUES, VALUES)
@example({"a": "\n b\n"}, [["\n\n#", " x\ny"], [[{"a": "b\n\n"}]]])
@example({"x" * 1100: 1, "a\nb": 2}, "c\nd")
def test_any_value_is_read_as_it_was_written(first: Any, second: Any) -> None:
    text = dump([{"first": first}, {"second": second}])
    expected = [{"first": first}, {"second": second}]
    assert list(yaml.load_all(text, Loader=yaml.SafeLoader)) == expected
    if yaml.__with_libyaml__:
        assert list(yaml.load_all(text, Loader=yaml.CSafeLoader)) == expected


@given(VALUES)
def test_our_own_reader_reads_it_too(value: Any) -> None:
    text = dump([{"a": value}])
    if "<<" not in text:
        assert load(text) == [{"a": value}]


def test_keys_are_sorted_and_lists_stand_at_their_key_as_in_kfp() -> None:
    assert dump([{"b": {"d": [1.0, {"f": [], "e": {}}], "c": None}, "a": True}]) == (
        "a: true\nb:\n  c: null\n  d:\n  - 1.0\n  - e: {}\n    f: []\n"
    )


def test_a_source_is_a_block_of_its_own_lines() -> None:
    source = "def f(a):\n    if a:\n\n        return 'x: # y'\n"
    assert dump([{"command": ["sh", source]}]) == (
        "command:\n- sh\n- |\n  def f(a):\n      if a:\n\n          return 'x: # y'\n"
    )


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("python:3.11", "python:3.11"),
        ("--executor_input", "--executor_input"),
        ("-ec", "-ec"),
        ("two words", "two words"),
        ("{{$}}", "'{{$}}'"),
        ("it's", "'it''s'"),
        ("no", "'no'"),
        ("1.0", "'1.0'"),
        ("", "''"),
        ("a: b", "'a: b'"),
        ("a #b", "'a #b'"),
        ("tab\there", '"tab\\there"'),
        ("\u2028", '"\\u2028"'),
    ],
)
def test_quotes_stand_only_where_they_are_needed(text: str, written: str) -> None:
    assert dump([{"a": text}]) == f"a: {written}\n"


@pytest.mark.parametrize("value", [{1: 2}, object(), {"a": {3}}])
def test_what_json_does_not_know_is_refused(value: Any) -> None:
    with pytest.raises(InterchangeError):
        dump([{"a": value}])
