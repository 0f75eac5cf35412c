"""Parts of values, by KFP's selectors."""

from __future__ import annotations

from typing import Any

import pytest

from kfp_jupyter.model.selection import SelectionError, keys_of, selected, selector_of

ROW: dict[str, Any] = {"a": {"b": [10, {"c d": None}]}, 'it"s': 1, "": 2}


@pytest.mark.parametrize(
    ("keys", "part"),
    [
        (("a",), ROW["a"]),
        (("a", "b", 0), 10),
        (("a", "b", 1, "c d"), None),
        (('it"s',), 1),
        (("",), 2),
    ],
)
def test_keys_follow_each_other(keys: tuple[str | int, ...], part: Any) -> None:
    assert keys_of(selector_of(keys)) == keys
    assert selected(ROW, selector_of(keys)) == part


def test_a_text_is_read_as_json_and_an_empty_selector_takes_the_whole() -> None:
    assert selected('{"a": [1, 2]}', 'parseJson(string_value)["a"][1]') == 2
    assert selected({"a": 5}, "parseJson(string_value)['a']") == 5
    assert selected("as it is", "") == "as it is"


@pytest.mark.parametrize(
    ("value", "selector", "message"),
    [
        (
            {"a": 1, "b": 2},
            selector_of(["c"]),
            "There is no 'c' in {\"a\": 1, \"b\": 2}. Its keys are: 'a', 'b'.",
        ),
        ({}, selector_of(["c"]), "It is empty."),
        ([1], selector_of([1]), "There is no [1] in a list of 1."),
        ([1], selector_of([-1]), "There is no [-1] in a list of 1."),
        ([1], selector_of(["a"]), "[1] of type list has no part ['a']."),
        (3, selector_of(["a"]), "3 of type int has no part ['a']."),
        ("no json", selector_of(["a"]), '"no json" is no JSON'),
        ({}, "string_value + 'x'", "is none that takes parts by their keys"),
        ({}, "parseJson(string_value)", "is none that takes parts by their keys"),
        ({}, 'parseJson(string_value)["a"] + 1', "is none that takes parts by their keys"),
        ({}, 'parseJson(string_value)["a', "is none that takes parts by their keys"),
    ],
)
def test_what_is_not_there_or_not_understood_is_told(value: Any, selector: str, message: str) -> None:
    with pytest.raises(SelectionError) as refused:
        selected(value, selector)
    assert message in str(refused.value)
