"""Untrusted text is loaded within limits: only texts, numbers, lists and mappings, or a clear error."""

from __future__ import annotations

import time
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from kfp_jupyter.interchange.errors import DocumentError
from kfp_jupyter.interchange.load import MAX_BYTES, load

LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]\n" for level in range(1, 12)
)

WORDS = """
1 -1 +7 0 007 0o17 0x1F 0b11 1_000 1.5 -.5 5. 1e3 1.0e+3 1.5e-7 .inf -.inf . -1x 1:x 1.2.3 0x 0b 0b2 08 1e
12e03 - ~ null Null NULL nUll true True TRUE tRue yes No off ON y n abc
"""


def test_yaml_and_json_are_loaded_alike() -> None:
    assert load("a: [1, 2.5, x, null, true]\n---\nb: {}\n") == [{"a": [1, 2.5, "x", None, True]}, {"b": {}}]
    assert load('{"a": [1, 2.5, "x", null, true]}') == [{"a": [1, 2.5, "x", None, True]}]
    assert load("{a: 1} # YAML in braces") == [{"a": 1}]
    assert load("\ufeffa: 1".encode()) == [{"a": 1}]
    assert load("# nothing\n---\n---\n") == []


def test_an_alias_stands_for_what_it_repeats() -> None:
    assert load("a: &x {b: [1]}\nc: *x\nd: [*x]") == [{"a": {"b": [1]}, "c": {"b": [1]}, "d": [{"b": [1]}]}]


@pytest.mark.parametrize(
    "text",
    WORDS.split(),
)
def test_plain_words_mean_what_they_mean_to_pyyaml(text: str) -> None:
    try:
        expected = yaml.safe_load(f"[{text}]")
    except yaml.YAMLError:
        with pytest.raises(DocumentError):
            load(f"[{text}]")
        return
    if text == "0o17":
        expected = [15]  # YAML 1.2's octal, which PyYAML takes for a text.
    assert repr(load(f"[{text}]")) == repr([expected])


@pytest.mark.parametrize("text", ["2020-01-01", "2020-01-01 10:00:00", "1:30", "190:20:30"])
def test_dates_and_numbers_of_base_60_stay_texts(text: str) -> None:
    assert load(f"a: {text}") == [{"a": text}]


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        (LAUGHS, "a5", "more than"),
        ("a: &a [*a]", "a[0]", "itself"),
        ("a: *b", "a", "*b"),
        ("a: " + "[" * 100_000, "a[0][0]", "deep"),
        ("\n".join(" " * level + "a:" for level in range(2_000)), "a.a.a", "deep"),
        ('{"a":' * 100_000, "the document", "recursion"),
        ('{"a":' * 500 + "1" + "}" * 500, "the document", "deep"),
        ("x" * (MAX_BYTES + 1), "the document", "32 MB"),
        ("a: !!python/object/apply:os.system [ls]", "a", "tag"),
        ("a: !!binary aGk=", "a", "tag"),
        ("a: !!set {b}", "a", "tag"),
        ("a: !!int x", "a", "tag"),
        ("a:\n  b: 1\n  b: 2", "a", "'b' stands twice"),
        ('{"a": 1, "a": 2}', "the document", "'a' stands twice"),
        ("a: {<<: {b: 1}}", "a", "<<"),
        ("a: {1: b}", "a", "A key should be a text"),
        ("a: {[1]: b}", "a", "A key should be a text"),
        ('{"a": NaN}', "the document", "NaN"),
        ('{"a": "\\ud800"}', "the document", "half of a character"),
        ("a: [1", "line ", "no YAML"),
        ("a: b\n c: d", "line 2", "no YAML"),
        (b"a: \xff", "the document", "UTF-8"),
        (b"PK\x03\x04", "line 1", "no text file"),
        ("a: \x1b[31m", "line 1", "no text file"),
    ],
    ids=range(24),
)
def test_what_is_beyond_a_limit_or_no_data_is_refused(text: str | bytes, where: str, what: str) -> None:
    began = time.process_time()
    with pytest.raises(DocumentError) as caught:
        load(text)
    assert caught.value.where.startswith(where)
    assert what in str(caught.value)
    assert time.process_time() - began < 30


@pytest.mark.parametrize("text", ["a: [" + "1," * 600 + "]", '{"a": [' + "1," * 600 + "1]}"])
def test_too_many_values_are_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kfp_jupyter.interchange.load.MAX_VALUES", 500)
    with pytest.raises(DocumentError, match="more than 500 values"):
        load(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_what_pyyaml_writes_is_loaded_as_it_was(value: Any) -> None:
    text = yaml.safe_dump({"a": value})
    try:
        assert load(text) == [{"a": value}]
    except DocumentError as error:
        # Keys that a mapping of names does not have, and characters that PyYAML writes though none may.
        assert any(what in str(error) for what in ("<<", "no text file", "A key should"))  # noqa: PT017


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_any_text_is_loaded_or_refused(text: str | bytes) -> None:
    try:
        held = load(text)
    except DocumentError as error:
        assert str(error)  # noqa: PT017 - either outcome is right, no other
    else:
        assert isinstance(held, list)
