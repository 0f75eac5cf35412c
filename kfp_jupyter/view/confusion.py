"""The chart of a confusion matrix."""

from __future__ import annotations

from kfp_jupyter.view.axes import heading, picture, words
from kfp_jupyter.view.look import FONT, LIGHT, SHADE, fitted, text_width
from kfp_jupyter.view.markup import element, escaped
from kfp_jupyter.view.metrics import Confusion
from kfp_jupyter.view.wording import number


def confusion_chart(matrix: Confusion) -> str:
    """Return a confusion matrix: counts in cells, shaded by their share of the true class."""
    count = len(matrix.classes)
    cell = min(64.0, max(30.0, 300.0 / count))
    size = 10.5 if count > 5 else 12.0
    names = [fitted(name, FONT["detail"], 110) for name in matrix.classes]
    widest = max(text_width(name, FONT["detail"]) for name in names)
    turned = widest > cell - 4
    left, top = 40 + widest, 38.0
    width = max(round(left + count * cell + 20), 220)
    below = top + count * cell
    height = round(below + (widest * 0.71 + 32 if turned else 44))
    right = sum(matrix.rows[index][index] for index in range(count))
    everything = sum(map(sum, matrix.rows))
    told = f"{number(right)} of {number(everything)} right" if everything else "no rows"
    body = [heading(f"Confusion · {matrix.name}", width)]
    for row, counts in enumerate(matrix.rows):
        y = top + row * cell
        body.append(
            words(names[row], left - 8, y + cell / 2 + 4, size=FONT["detail"]["size"], text_anchor="end")
        )
        for column, held in enumerate(counts):
            share = held / sum(counts) if sum(counts) else 0.0
            body.append(_cell(left + column * cell, y, cell, size, held, share))
    for column, name in enumerate(names):
        x = left + (column + 0.5) * cell
        if turned:
            place = {
                "transform": f"translate({x + 3:.1f} {below + 12:.1f}) rotate(-45)",
                "text_anchor": "end",
            }
            body.append(words(name, 0, 0, size=FONT["detail"]["size"], **place))
        else:
            body.append(words(name, x, below + 16, size=FONT["detail"]["size"], text_anchor="middle"))
    body.append(words("predicted", left + count * cell / 2, height - 10, text_anchor="middle"))
    at = f"translate(19 {top + count * cell / 2:.1f}) rotate(-90)"
    body.append(words("true", 0, 0, text_anchor="middle", transform=at))
    return picture(body, (width, height), f"Confusion matrix · {matrix.name}", _told(matrix, told))


def _told(matrix: Confusion, summary: str) -> str:
    rows = (
        f"true {name}: "
        + ", ".join(f"{number(held)} as {other}" for other, held in zip(matrix.classes, counts, strict=True))
        for name, counts in zip(matrix.classes, matrix.rows, strict=True)
    )
    return f"{summary}. {'; '.join(rows)}"


def _cell(x: float, y: float, cell: float, size: float, held: float, share: float) -> str:
    strong = share > SHADE["white_text_from"]
    box = element(
        "rect",
        x=x + 1,
        y=y + 1,
        width=cell - 2,
        height=cell - 2,
        rx=4,
        fill=SHADE["colour"],
        fill_opacity=round(SHADE["least"] + (SHADE["most"] - SHADE["least"]) * share, 3),
    )
    text = element(
        "text",
        escaped(_short(held, cell, size)),
        class_="" if strong else "kj-label",
        x=x + cell / 2,
        y=y + cell / 2 + size * 0.35,
        text_anchor="middle",
        font_size=size,
        font_weight=600 if share >= 0.5 else 400,
        fill="#ffffff" if strong else LIGHT["label"],
    )
    return element("g", element("title", escaped(f"{number(held)} ({share:.1%})")) + box + text)


def _short(held: float, cell: float, size: float) -> str:
    text = number(held)
    if text_width(text, {"size": size, "weight": 600}) <= cell - 2:
        return text
    for unit, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(held) >= unit:
            return f"{held / unit:.2g}{letter}" if held < 100 * unit else f"{held / unit:.0f}{letter}"
    return f"{held:.2g}"
