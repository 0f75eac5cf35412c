"""Static HTML tells the whole run, and survives and deserves a sanitiser."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from kfp_jupyter.view.html import html
from tests.view import examples
from tests.view.pages import Page, parsed, texts

NOW = examples.START + 4.7
DOCUMENTS = examples.documents()
TAGS = {"div", "span", "strong", "table", "tr", "th", "td", "details", "summary", "pre", "img"}
"""All of these pass JupyterLab's sanitiser."""


@pytest.mark.parametrize("name", list(DOCUMENTS))
def test_only_plain_elements_with_inline_styles_are_used(name: str) -> None:
    page = Page(html(DOCUMENTS[name], now=NOW))
    assert page.open == []
    assert {tag for tag, _ in page.elements} <= TAGS
    for tag, attributes in page.elements:
        assert set(attributes) <= ({"src", "alt", "style"} if tag == "img" else {"style"})
        assert "url(" not in (attributes.get("style") or "")


def test_an_ended_run_is_told_in_words_beside_its_pictures() -> None:
    page = Page(html(DOCUMENTS["succeeded"], now=NOW))
    for word in ("Cancer classifier", "succeeded", "1:12 min", "this machine", "run-0011", "rate = 0.05"):
        assert word in page.text
    for word in ("accuracy", "0.972", "0.944", "train-logistic"):
        assert word in page.text
    titles = [texts(picture, "title")[0] for picture in page.pictures]
    assert titles[0] == "Pipeline Cancer classifier: succeeded, 1:12 min"
    assert titles[1:] == [
        "loss",
        "ROC · AUC 0.975 / 0.941",
        *(f"Confusion matrix · {x}" for x in ("evaluate", "evaluate-2")),
    ]


def test_what_tasks_used_is_a_column_if_it_is_known_of_any() -> None:
    text = Page(html(DOCUMENTS["succeeded"], now=NOW)).text
    assert "CPU 7.4 s (180 %, limit 200 %) · memory 1.2 GB of 4 GB" in text
    assert "CPU" not in Page(html(DOCUMENTS["canceled"], now=NOW)).text


def test_a_failure_is_told_with_its_place_traceback_and_log() -> None:
    text = Page(html(DOCUMENTS["failed"], now=NOW)).text
    assert "ValueError: could not convert string to float: '<n/a>'" in text
    assert "Cell In[4], line 7" in text
    assert 'x = frame["radius"].astype(float)' in text
    assert "fitting 200 trees & pruning <small> ones" in text


def test_a_pipeline_that_has_not_run_tells_its_inputs() -> None:
    text = Page(html(DOCUMENTS["pipeline"])).text
    assert "rate: float = 0.1, seed: int = 7, label: str" in text
    assert "Two models on the breast cancer data" in text


def test_an_open_run_is_said_to_be_unknown() -> None:
    text = Page(html(DOCUMENTS["open"])).text
    assert "Run run-0010 had not ended when this was saved." in text
    assert "running" not in text


def poisoned(value: Any, evil: str) -> Any:
    """The value with every text a user provides replaced, and every name a user chooses prefixed."""
    fixed = ("state", "id", "path", "source", "target", "type", "kind", "schema", "uri")
    if isinstance(value, dict):
        return {
            key: held if key in fixed and isinstance(held, str) else poisoned(held, evil)
            for key, held in value.items()
        }
    if isinstance(value, list):
        return [poisoned(held, evil) for held in value]
    return f"{evil}{value}" if isinstance(value, str) else value


@pytest.mark.parametrize("name", list(DOCUMENTS))
def test_what_users_write_cannot_become_markup(name: str) -> None:
    evil = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>&\x1b[31m\x00"
    document = poisoned(copy.deepcopy(DOCUMENTS[name]), evil)
    for task in (document["run"] or {}).get("tasks", {}).values():
        task["error"] = {"type": evil, "message": evil, "file": evil, "line": 3, "traceback": evil}
        task["curves"] = {evil: [[0, 1.0], [1, 2.0]]}
        task["outputs"] = {evil: 1.5}
        matrix = examples.confusion((1, 2), (3, 4), names=(evil, evil))
        metadata = {evil: 1, "confusionMatrix": matrix, "confidenceMetrics": examples.roc(2)}
        record = {"type": "system.ClassificationMetrics", "uri": evil, "path": evil, "metadata": metadata}
        task["artifacts"] = {evil: [record]}
    source = html(document, now=NOW)
    page = Page(source)
    assert {tag for tag, _ in page.elements} <= TAGS
    assert all(set(attributes) <= {"src", "alt", "style"} for _, attributes in page.elements)
    assert all((attributes.get("src") or "data:").startswith("data:") for _, attributes in page.elements)
    assert "<script>alert(1)</script>" in page.text
    assert "\x1b" not in source
    for picture in page.pictures:
        assert not [shape for shape in parsed(picture).iter() if "script" in str(shape.tag)]


def test_a_graph_too_large_for_a_page_is_told_instead_of_drawn() -> None:
    document = copy.deepcopy(DOCUMENTS["pipeline"])
    document["graph"]["nodes"] = document["graph"]["nodes"] * 60
    page = Page(html(document))
    assert "A graph of 480 tasks" in page.text
    assert page.pictures == []
