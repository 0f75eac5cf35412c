"""The look of graph and charts: sizes, colours, icons and fonts, read from `look.json`.

The front end draws the same picture from the same file, so a value is changed there and nowhere else. Colours
are told apart by people who see red and green alike, and every state has a shape of its own beside its
colour. What is drawn on the bare background (edges, their labels) is a grey that is legible on white and on
near-black, since a picture cannot know what it lies on; everything else lies on cards that bring their own
surface.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from kfp_jupyter.model.types import Json

LOOK: Mapping[str, Json] = json.loads(Path(__file__).with_name("look.json").read_text(encoding="utf-8"))
FONT: Mapping[str, Json] = LOOK["font"]
CARD: Mapping[str, Json] = LOOK["card"]
SPACE: Mapping[str, Json] = LOOK["space"]
EDGE: Mapping[str, Json] = LOOK["edge"]
ICON: Mapping[str, Json] = LOOK["icon"]
LIGHT: Mapping[str, str] = LOOK["themes"]["light"]
DARK: Mapping[str, str] = LOOK["themes"]["dark"]
STATES: Mapping[str, Mapping[str, Json]] = LOOK["states"]
SHADE: Mapping[str, Json] = LOOK["shade"]
SERIES: Mapping[str, list[str]] = LOOK["series"]

_CLASS = re.compile(r"kj-[\w-]+")
_WIDTHS = {character: width for group, width in FONT["widths"]["per_1000_em"] for character in group}


@cache
def _width(character: str) -> int:
    if ord(character) >= FONT["widths"]["wide_from"]:
        return int(FONT["widths"]["wide"])
    return int(_WIDTHS.get(character, FONT["widths"]["other"]))


def text_width(text: str, font: Mapping[str, Json]) -> float:
    """Return about how wide a text is in pixels, in `FONT["label"]` or another; rather too much."""
    return sum(map(_width, text)) * _per_unit(font)


def fitted(text: str, font: Mapping[str, Json], room: float) -> str:
    """Return the text, cut and ended with an ellipsis if it is wider than `room` pixels."""
    if text_width(text, font) <= room:
        return text
    left = room - text_width("…", font)
    kept = 0
    for character in text:
        left -= _width(character) * _per_unit(font)
        if left < 0:
            break
        kept += 1
    return text[:kept].rstrip() + "…"


def _per_unit(font: Mapping[str, Json]) -> float:
    weight = 1.0 if font["weight"] >= 600 else FONT["widths"]["regular"]
    return float(font["size"] * weight / 1000)


def style_sheet(markup: str) -> str:
    """Return the CSS with the dark colours of the classes in `markup`, for viewers that prefer dark."""
    used = set(_CLASS.findall(markup))
    rules = "".join(rule for name, rule in _dark_rules().items() if name in used)
    return f"@media(prefers-color-scheme:dark){{{rules}}}"


@cache
def _dark_rules() -> Mapping[str, str]:
    fills = {f"kj-{name}": DARK[name] for name in ("surface", "frame", "label", "detail")}
    fills |= {f"kj-fill-{key}": state["dark"] for key, state in STATES.items()}
    fills |= {f"kj-dot-{index}": colour for index, colour in enumerate(SERIES["dark"])}
    lines = {f"kj-{name}": DARK[name] for name in ("border", "grid")} | {"kj-cut": DARK["surface"]}
    lines |= {f"kj-line-{key}": state["dark"] for key, state in STATES.items()}
    lines |= {f"kj-series-{index}": colour for index, colour in enumerate(SERIES["dark"])}
    rules = {name: f".{name}{{fill:{colour}}}" for name, colour in fills.items()}
    return rules | {name: f".{name}{{stroke:{colour}}}" for name, colour in lines.items()}
