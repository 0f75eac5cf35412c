"""What a value refers to by name: the classes and functions that have to be there to load it again.

A pickle holds no code. Of a class or function it keeps the module and the name, so a step that loads an
instance of a notebook's class needs this class, even if its own text never says it. What a pickle would refer
to is found by pickling into nowhere: bulk data (arrays, tensors) is left out, and a value that is longer than
`LIMIT` is looked at up to there.
"""

from __future__ import annotations

import pickle
import types
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

LIMIT = 16_000_000
"""How many bytes of a value are looked at."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A class or function that a value refers to.

    Attributes:
        module: The name of its module; `__main__` for a notebook's own.
        name: The name that it has there.
    """

    module: str
    name: str


def references(value: Any) -> tuple[Reference, ...]:
    """Return what a value refers to, in the order of finding it, as far as it can be pickled."""
    listener = _Listener()
    # Classes of the user's may raise anything; what was found before is true.
    with suppress(Exception):
        listener.dump(value)
    return tuple(listener.found)


class _Listener(pickle.Pickler):
    """Pickles into nowhere and takes note of the names that go by.

    Attributes:
        found: What the value refers to.
    """

    def __init__(self) -> None:
        super().__init__(_Nowhere(), protocol=5, buffer_callback=lambda _: False)
        self.found: dict[Reference, None] = {}

    def reducer_override(self, held: Any) -> Any:
        """Take note of a class or function; leave out what a tensor holds."""
        named = isinstance(held, (type, types.FunctionType, types.BuiltinFunctionType))
        told = held if named else type(held)
        module, name = getattr(told, "__module__", None), told.__qualname__
        if isinstance(module, str):
            self.found[Reference(module, name.partition(".")[0])] = None
        if not named and str(module).partition(".")[0] == "torch" and hasattr(held, "untyped_storage"):
            return int, ()
        return NotImplemented


class _Nowhere:
    """A file that keeps nothing, and no more of it than `LIMIT`."""

    def __init__(self) -> None:
        self.length = 0

    def write(self, data: Any) -> int:
        """Count what is written.

        Raises:
            OverflowError: It is enough.
        """
        self.length += len(data)
        if self.length > LIMIT:
            raise OverflowError(LIMIT)
        return len(data)
