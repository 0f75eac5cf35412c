"""A frozen mapping that is cheap to revise: a run of thousands of tasks changes by one of them at a time.

What was revised lately lies over what was before, and both are shared by the mappings before and after; so a
revision copies only what lies on top, at most the root of the mapping's size. When more than that has
gathered, both are joined, which by then is paid for by as many revisions.
"""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, Mapping, ValuesView
from typing import TypeVar

T = TypeVar("T")


class Revised(Mapping[str, T]):
    """A mapping that nobody changes.

    Args:
        under: What it held before.
        over: What it holds instead or besides.
    """

    __slots__ = ("_over", "_under")

    def __init__(self, under: Mapping[str, T], over: Mapping[str, T]) -> None:
        self._under = under
        self._over = over

    def __getitem__(self, key: str) -> T:
        return self._over[key] if key in self._over else self._under[key]

    def __contains__(self, key: object) -> bool:
        return key in self._over or key in self._under

    def __iter__(self) -> Iterator[str]:
        yield from self._under
        yield from (key for key in self._over if key not in self._under)

    def __len__(self) -> int:
        return len(self._under) + sum(key not in self._under for key in self._over)

    def __repr__(self) -> str:
        return repr(self._joined())

    def items(self) -> ItemsView[str, T]:
        """Return the keys with their values."""
        return self._joined().items()

    def values(self) -> ValuesView[T]:
        """Return the values."""
        return self._joined().values()

    def _joined(self) -> dict[str, T]:
        # Joined and walked faster than looked up one by one.
        return {**self._under, **self._over}


def revised(held: Mapping[str, T], key: str, value: T) -> Mapping[str, T]:
    """Return a mapping that holds `value` under `key`, and all else as `held` does; a new key comes last."""
    under, over = (held._under, held._over) if isinstance(held, Revised) else (held, {})
    over = {**over, key: value}
    return Revised(under, over) if len(over) ** 2 <= len(under) else {**under, **over}
