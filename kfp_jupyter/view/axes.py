"""A chart's frame: a card with a title, two axes with ticks, and a legend.

Charts are drawn in pixels of their own and grow with their container; like the graph they carry light colours
as attributes and dark ones in a style sheet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, isclose, log10

from kfp_jupyter.view.look import FONT, LIGHT, SERIES, fitted, style_sheet, text_width
from kfp_jupyter.view.markup import element, escaped

WIDTH = 360
"""The width of a line chart in pixels."""

TICK: float = FONT["edge"]["size"]
"""The font size of ticks, labels and legends."""

MOST_SERIES = 12
"""More lines than this in one chart are not told apart."""

_HUGE = 1e300
"""No axis goes further: the difference of two larger numbers may not be one."""

_LEGEND_LINE = 17


@dataclass(frozen=True, slots=True)
class Scale:
    """An axis: its range, its ticks with their texts, and what it measures."""

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    name: str


def scale(low: float, high: float, name: str, *, count: int = 5, whole: bool = False) -> Scale:
    """Return an axis with about `count` round ticks that cover the range.

    Args:
        low: The least value shown.
        high: The greatest.
        name: What the axis measures.
        count: About how many intervals there shall be.
        whole: The values are integers, and so shall the ticks be.
    """
    low, high = max(low, -_HUGE), min(high, _HUGE)
    if low >= 0 and low < 0.4 * high:
        low = 0.0
    if isclose(low, high, rel_tol=1e-9, abs_tol=1e-300):
        margin = abs(low) / 2 or 0.5
        low, high = low - margin, high + margin
    raw = (high - low) / count
    power = 10.0 ** floor(log10(raw))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= raw * (1 - 1e-9))
    if whole:
        step = max(1.0, float(ceil(step)))
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    values = [index * step for index in range(first, last + 1)]
    return Scale(values[0], values[-1], tuple((value, _tick(value, step)) for value in values), name)


def _tick(value: float, step: float) -> str:
    if isclose(value, 0.0, abs_tol=step * 1e-6):
        return "0"
    if step >= 1000:
        for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
            if step * 2 >= size:
                return f"{value / size:.6g}{letter}"
    if step < 1e-4 or abs(value) >= 1e7:
        return f"{value:.3g}"
    decimals = max(0, -floor(log10(step) + 1e-9))
    text = f"{value:.{decimals}f}"
    return text if isclose(float(text), value, rel_tol=1e-9) else f"{value:.{decimals + 1}f}"


@dataclass(frozen=True, slots=True)
class Axes:
    """Two axes on a card; turns values into places.

    Attributes:
        x: The horizontal axis.
        y: The vertical axis.
        title: The chart's title.
        plot_height: The height of the plotting area in pixels.
        left: Its left edge, which depends on how wide the ticks of `y` are.
    """

    x: Scale
    y: Scale
    title: str
    plot_height: int = 200
    left: float = 0.0
    top: float = 38.0
    right: float = WIDTH - 18.0

    @property
    def bottom(self) -> float:
        """The lower edge of the plotting area."""
        return self.top + self.plot_height

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Return where a value is, in pixels."""
        return (
            self.left + (x - self.x.low) / (self.x.high - self.x.low) * (self.right - self.left),
            self.bottom - (y - self.y.low) / (self.y.high - self.y.low) * self.plot_height,
        )

    def line(self, points: Sequence[tuple[float, float]]) -> str:
        """Return the path data through points given as values."""
        places = [self.place(x, y) for x, y in points]
        return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places)


def axes(x: Scale, y: Scale, title: str) -> Axes:
    """Return the axes of a chart, with the room that their ticks need."""
    widest = max(text_width(text, FONT["edge"]) for _, text in y.ticks)
    return Axes(x, y, title, left=round(widest) + (38.0 if y.name else 23.0))


def chart(frame: Axes, plot: Sequence[str], names: Sequence[str], description: str) -> str:
    """Return a whole chart as SVG text.

    Args:
        frame: Its axes.
        plot: The markup of what is plotted.
        names: The name of each series, also of those past the first `MOST_SERIES`, which are not drawn.
        description: What the chart shows, for screen readers.
    """
    entries, deep = _legend(names, frame.bottom + 50)
    height = round(frame.bottom + 46 + deep)
    body = [heading(frame.title, WIDTH), *_grid(frame), *plot, *entries]
    return picture(body, (WIDTH, height), frame.title, description)


def picture(body: Sequence[str], size: tuple[float, float], title: str, description: str) -> str:
    """Return a chart's markup on a card, as an SVG document of that width and height."""
    width, height = size
    drawn = card(width, height) + "".join(body)
    told = element("title", escaped(title)) + element("desc", escaped(description))
    return element(
        "svg",
        told + element("style", style_sheet(drawn)) + drawn,
        xmlns="http://www.w3.org/2000/svg",
        class_="kfp-jupyter-chart",
        role="img",
        viewBox=f"0 0 {width} {height}",
        width=width,
        height=height,
        font_family=FONT["family"],
    )


def card(width: float, height: float) -> str:
    """Return the card that a chart lies on."""
    return element(
        "rect",
        class_="kj-surface kj-border",
        x=0.5,
        y=0.5,
        width=width - 1,
        height=height - 1,
        rx=8,
        fill=LIGHT["surface"],
        stroke=LIGHT["border"],
    )


def heading(title: str, width: float) -> str:
    """Return a chart's title."""
    font = FONT["label"]
    shown = fitted(title, font, width - 32)
    return words(shown, 16, 24, role="label", size=font["size"], font_weight=font["weight"])


def words(
    text: str, x: float, y: float, *, role: str = "detail", size: float = TICK, **attributes: object
) -> str:
    """Return a text at a place, in one of the theme's text colours (`label` or `detail`)."""
    return element(
        "text",
        escaped(text),
        class_=f"kj-{role}",
        x=x,
        y=y,
        font_size=size,
        fill=LIGHT[role],
        **attributes,
    )


def stroke(series: int) -> dict[str, object]:
    """Return the attributes of a series' line; its dashes tell it from others without colour too."""
    colours, dashes = SERIES["light"], SERIES["dashes"]
    dash = series + series // len(colours)  # so that the ninth differs from the first
    return {
        "class_": f"kj-series-{series % len(colours)}",
        "fill": "none",
        "stroke": colours[series % len(colours)],
        "stroke_width": 1.9,
        "stroke_linejoin": "round",
        "stroke_dasharray": dashes[dash % len(dashes)],
    }


def _grid(frame: Axes) -> list[str]:
    drawn = []
    for value, text in frame.y.ticks:
        _, y = frame.place(frame.x.low, value)
        drawn.append(_rule(frame.left, y, frame.right, y))
        drawn.append(words(text, frame.left - 7, y + TICK * 0.35, text_anchor="end"))
    for value, text in frame.x.ticks:
        x, _ = frame.place(value, frame.y.low)
        drawn.append(_rule(x, frame.bottom, x, frame.bottom + 4))
        drawn.append(words(text, x, frame.bottom + 16, text_anchor="middle"))
    middle = (frame.left + frame.right) / 2
    drawn.append(words(frame.x.name, middle, frame.bottom + 33, text_anchor="middle"))
    if frame.y.name:
        turned = f"translate(19 {(frame.top + frame.bottom) / 2:.1f}) rotate(-90)"
        drawn.append(words(frame.y.name, 0, 0, text_anchor="middle", transform=turned))
    return drawn


def _rule(x1: float, y1: float, x2: float, y2: float) -> str:
    return element("path", class_="kj-grid", d=f"M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}", stroke=LIGHT["grid"])


def _legend(names: Sequence[str], top: float) -> tuple[list[str], float]:
    """The legend's entries, set like words, and how deep they reach; a lone series has none."""
    if len(names) <= 1:
        return [], 0.0
    drawn: list[str] = []
    x, y = 16.0, top
    for series, name in enumerate(names[:MOST_SERIES]):
        text = fitted(name, FONT["edge"], WIDTH - 72)
        wide = 30 + text_width(text, FONT["edge"])
        if x > 16 and x + wide > WIDTH - 16:
            x, y = 16.0, y + _LEGEND_LINE
        drawn.append(element("path", d=f"M{x:.1f} {y}h20", **stroke(series)))
        drawn.append(words(text, x + 26, y + TICK * 0.35, role="label"))
        x += wide + 12
    if len(names) > MOST_SERIES:
        y += _LEGEND_LINE
        drawn.append(words(f"and {len(names) - MOST_SERIES} more, not drawn", 16, y + TICK * 0.35))
    return drawn, y - top + _LEGEND_LINE
