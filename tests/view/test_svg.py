"""The picture of a graph: complete, legible, and safe wherever it is shown."""

from __future__ import annotations

import copy
from itertools import combinations

import pytest

from kfp_jupyter.model.run import State
from kfp_jupyter.view.labels import labels
from kfp_jupyter.view.look import CARD, DARK, FONT, LIGHT, SERIES, STATES, fitted, text_width
from kfp_jupyter.view.svg import svg
from kfp_jupyter.view.wording import status
from tests.view import examples
from tests.view.pages import SVG, parsed, texts

NOW = examples.START + 4.7
DOCUMENTS = examples.documents()


def contrast(one: str, other: str) -> float:
    """https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio"""

    def luminance(colour: str) -> float:
        parts = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
        red, green, blue = (
            part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("name", list(DOCUMENTS))
def test_every_task_is_drawn_with_its_name_and_described(name: str) -> None:
    picture = svg(DOCUMENTS[name], now=NOW)
    shown = texts(picture)
    described = texts(picture, "desc")[0]
    for node in DOCUMENTS[name]["graph"]["nodes"]:
        assert node["label"] in shown
        assert node["label"] in described
    assert parsed(picture).get("role") == "img"
    assert texts(picture, "title")[0].startswith(f"Pipeline {DOCUMENTS[name]['pipeline']['display_name']}")


def test_states_are_told_in_words_and_times() -> None:
    shown = texts(svg(DOCUMENTS["running"], now=NOW))
    assert {"cached", "1.2 s", "try 2 · 3 s", "Unschedulable", "pending"} <= set(shown)
    assert {"failed · 1.8 s", "skipped"} <= set(texts(svg(DOCUMENTS["failed"], now=NOW)))


def test_an_ended_run_looks_the_same_at_any_time() -> None:
    for name in ("succeeded", "failed", "canceled", "pipeline", "open"):
        assert svg(DOCUMENTS[name], now=NOW) == svg(DOCUMENTS[name], now=NOW + 1e6)


def test_the_picture_needs_no_style_sheet() -> None:
    for shape in parsed(svg(DOCUMENTS["running"], now=NOW)).iter():
        if shape.tag in {SVG + "path", SVG + "rect", SVG + "text"}:
            inherits = shape.get("fill") is None and shape.get("stroke") is None
            assert not inherits or shape.tag == SVG + "path"  # an edge takes the colour of its group
    for group in parsed(svg(DOCUMENTS["running"], now=NOW)).findall(SVG + "g"):
        bare = [path for path in group.findall(SVG + "path") if path.get("fill") is None]
        assert not bare or group.get("stroke")


def test_the_style_sheet_has_a_dark_colour_for_every_class() -> None:
    picture = parsed(svg(DOCUMENTS["running"], now=NOW))
    rules = picture.findtext(SVG + "style") or ""
    classes = {name for shape in picture.iter() for name in (shape.get("class") or "").split()}
    assert classes - {"kfp-jupyter-graph"}
    for name in classes - {"kfp-jupyter-graph"}:
        assert f".{name}{{" in rules


def test_nothing_goes_by_id_or_address() -> None:
    for document in DOCUMENTS.values():
        for shape in parsed(svg(document, now=NOW)).iter():
            assert not {"id", "href", "onclick", "onload"} & set(shape.keys())


def test_what_users_write_cannot_become_markup() -> None:
    document = copy.deepcopy(DOCUMENTS["running"])
    evil = "</text><script>alert(1)</script>\x1b[31m\x00"
    document["pipeline"]["display_name"] = evil
    document["graph"]["nodes"][0]["label"] = evil
    document["graph"]["edges"][0]["label"] = evil
    document["run"]["tasks"]["train-logistic"]["reason"] = evil
    picture = svg(document, now=NOW)
    assert not list(parsed(picture).iter(SVG + "script"))
    assert "<script" not in picture
    assert "</text><script>alert(1)</script>" in texts(picture, "title")[0]


def test_labels_meet_neither_cards_nor_each_other() -> None:
    graph = DOCUMENTS["pipeline"]["graph"]
    placed = labels(graph)
    assert [label.text for label in placed] == [edge["label"] for edge in graph["edges"] if edge["label"]]
    boxes = [(at.x - at.width / 2, at.y - 8, at.x + at.width / 2, at.y + 8) for at in placed]
    boxes += [(at["x"], at["y"], at["x"] + at["width"], at["y"] + at["height"]) for at in graph["nodes"]]
    for one, other in combinations(boxes, 2):
        assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]


def test_every_state_has_a_colour_an_icon_and_words_of_its_own() -> None:
    assert {state.value for state in State} | {"NONE", "CACHED"} == set(STATES)
    icons = [tuple(state["icon"].values()) for state in STATES.values()]
    assert len(set(icons)) == len(icons)
    assert len({state["text"] for state in STATES.values()}) == len(STATES)


def test_colours_are_legible_on_their_ground() -> None:
    for theme, key in ((LIGHT, "light"), (DARK, "dark")):
        for name, state in STATES.items():
            least = 3.0 if name == "NONE" else 4.5  # that one is an icon only
            assert contrast(state[key], theme["surface"]) >= least, (name, key)
        for colour in SERIES[key]:
            assert contrast(colour, theme["surface"]) >= 3.0, colour
        for role in ("label", "detail"):
            assert contrast(theme[role], theme["surface"]) >= 4.5
        # Lines lie on the bare page, whose colour is unknown.
        assert min(contrast(theme["edge"], page) for page in ("#ffffff", "#111111")) >= 3.0
    for name, state in STATES.items():
        if name != "NONE":
            assert contrast(state["light"], "#ffffff") >= 4.5  # a badge's white text


def test_a_long_text_is_cut_to_its_room() -> None:
    font = FONT["label"]
    cut = fitted("a-very-long-name-" * 10, font, 120)
    assert cut.endswith("…")
    assert text_width(cut, font) <= 120
    assert fitted("short", font, 120) == "short"


@pytest.mark.parametrize("state", [state.value for state in State])
@pytest.mark.parametrize("attempt", [1, 3])
@pytest.mark.parametrize("seconds", [3.2, 3599.0, 35_999.0])
def test_the_second_line_fits_the_smallest_card(state: str, attempt: int, seconds: float) -> None:
    task = {"state": state, "reason": "", "attempt": attempt, "cached_from": ""}
    ended = None if state in ("RUNNING", "CANCELING", "PENDING", "PAUSED") else seconds
    line = status({**task, "started_at": 0.0, "finished_at": ended}, now=seconds)
    assert text_width(line, FONT["detail"]) <= CARD["min_width"] - CARD["text_x"] - CARD["padding_right"] / 2
