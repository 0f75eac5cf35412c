"""Lines of source as Python counts them.

`str.splitlines` ends lines at form feeds and at separators such as U+2028 too, which may stand in code and in
its strings; every line after one would be taken for another.
"""

from __future__ import annotations

from functools import lru_cache


@lru_cache(maxsize=512)
def lines_of(text: str) -> tuple[str, ...]:
    """Return the lines without their ends."""
    return tuple(line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")) if text else ()


def with_ends(text: str) -> list[str]:
    """Return the lines with their ends."""
    lines = [f"{line}\n" for line in text.split("\n")]
    lines[-1] = lines[-1][:-1]
    return lines if lines[-1] else lines[:-1]
