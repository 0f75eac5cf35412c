"""The two things every SVG and HTML writer here needs: escaping, and elements from attributes.

What users provide (names, messages, log lines) passes through `escaped` or `element` and nowhere else into
markup.
"""

from __future__ import annotations

import re

from kfp_jupyter.view.wording import plain

_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}
_CLOSED = ("circle", "img", "path", "rect")
"""Elements that are written without an end tag; for others HTML would not understand that."""

_SPECIAL = re.compile("[&<>\"']")


def escaped(text: object) -> str:
    """Return a text for element content or a quoted attribute, without what XML cannot hold."""
    return _SPECIAL.sub(lambda match: _ESCAPES[match.group()], plain(text))


def element(tag: str, content: str = "", /, **attributes: object) -> str:
    """Return an element.

    Args:
        tag: Its name.
        content: Its markup, already escaped.
        attributes: Names with `_` for `-` (`class_` for `class`); those that are None or empty are left out.
    """
    shown = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escaped(_plain(value))}"'
        for name, value in attributes.items()
        if value is not None and value != ""
    )
    return f"<{tag}{shown}/>" if tag in _CLOSED else f"<{tag}{shown}>{content}</{tag}>"


def _plain(value: object) -> object:
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".") if not value.is_integer() else int(value)
    return value
