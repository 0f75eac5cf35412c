"""The texts of a notebook: which of them bind a name, and how often they are asked."""

from __future__ import annotations

import pytest

from kfp_jupyter.cells.history import History, Text


def history(*cells: str) -> History:
    return History(Text(cell, f"Cell In[{number}]") for number, cell in enumerate(cells, start=1))


def bound_in(texts: History, name: str) -> list[str]:
    return [written.text.file for written in texts.bindings(name)]


@pytest.mark.parametrize("name", ["x", "데이터", "पाठ्य", "col·lecció", "é", "_x1"])
def test_a_name_is_found_where_it_is_bound_the_latest_first(name):
    texts = history(
        f"{name}=1", f"print({name})", f"def f():\n    {name} = 2", f"for {name} in[2]:0", "y = 1"
    )
    assert bound_in(texts, name) == ["Cell In[4]", "Cell In[1]"]


def test_a_text_that_is_added_after_a_name_was_looked_up_counts():
    texts = history("x = 1")
    assert bound_in(texts, "x") == ["Cell In[1]"]
    texts.add(Text("x = 2", "Cell In[2]"))
    assert bound_in(texts, "x") == ["Cell In[2]", "Cell In[1]"]


def test_a_text_that_is_no_python_binds_nothing():
    assert bound_in(history("x = ", "x = 1"), "x") == ["Cell In[2]"]


def test_everything_that_was_imported_is_known_the_latest_first():
    texts = history("from math import *", "x = 2 * 3", "from json import *\nfrom os import *")
    assert list(texts.star_imports()) == ["os", "json", "math"]


def test_a_function_that_binds_a_name_of_the_module_is_known():
    texts = history("def f():\n    global count\n    count = 1", "total = 1")
    assert texts.makes_global("count")
    assert not texts.makes_global("total")


def test_an_import_from_the_future_counts_in_later_texts():
    texts = history("x: int = 1", "from __future__ import annotations", "y: int = 1", "z: int = 1")
    assert [text.has_text_hints for text in texts.texts] == [False, True, True, True]


def test_the_place_of_a_text_is_that_of_the_last_of_its_name():
    texts = History([Text("x = 1", "a"), Text("y = 1", "b"), Text("x = 2", "a")])
    assert [texts.order(file) for file in ("a", "b", "c")] == [3, 2, 0]
    assert texts.text("a") is texts.texts[0]
    assert texts.text("c") is None


def test_each_text_that_mentions_a_name_is_asked_once():
    asked = []

    def concerns(text: Text, name: str) -> bool:
        asked.append((text.file, name))
        return text.text.startswith(name)

    texts = History()
    for number in range(50):
        texts.add(Text(f"x = {number}" if number % 10 == 0 else "print(x, xs)", str(number)))
        texts.concerned(concerns, "x")
        texts.concerned(concerns, "nowhere")
    assert texts.concerned(concerns, "x") == [0, 10, 20, 30, 40]
    assert asked == [(str(number), "x") for number in range(50)]
