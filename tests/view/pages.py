"""Reading what the writers wrote, as a browser or a sanitiser would."""

from __future__ import annotations

import re
from base64 import b64decode
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

SVG = "{http://www.w3.org/2000/svg}"


def parsed(svg: str) -> ET.Element:
    """The tree of an SVG text; raises where it is not well-formed."""
    return ET.fromstring(svg)


def texts(svg: str, tag: str = "text") -> list[str]:
    return ["".join(found.itertext()) for found in parsed(svg).iter(SVG + tag)]


class Page(HTMLParser):
    """The elements and the text of an HTML fragment."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        assert tag == "img"  # other elements cannot end themselves in HTML
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self) -> str:
        return "".join(self.words)

    @property
    def pictures(self) -> list[str]:
        """The SVG texts inside images."""
        sources = [attributes["src"] or "" for tag, attributes in self.elements if tag == "img"]
        return [b64decode(re.sub(r"^data:image/svg\+xml;base64,", "", source)).decode() for source in sources]
