"""What a value refers to by name: the classes and functions that have to be there to load it again.

A pickle holds no code. Of a class or function it keeps the module and the name, so a step that loads an
instance of a notebook's class needs this class, even if its own text never says it. What a pickle would refer
to is found by pickling into nowhere: bulk data (arrays, tensors) is left out, and a value that is longer than
`LIMIT` is looked at up to there.
"""

from __future__ import annotations

import pickle
import types
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


@dataclass(frozen=True, slots=True)
class Pickled:
    """What pickling a value would do.

    Attributes:
        references: What it refers to, in the order of finding it.
        problem: Why it cannot be pickled; empty if nothing was found that speaks against it.
    """

    references: tuple[Reference, ...] = ()
    problem: str = ""


def pickled(value: Any) -> Pickled:
    """Return what pickling a value would do, without keeping anything of it."""
    listener = _Listener()
    problem = ""
    try:
        listener.dump(value)
    except _EnoughError:
        pass
    except Exception as error:  # noqa: BLE001 - whatever classes of the user's raise
        problem = str(error) or type(error).__name__
    return Pickled(tuple(listener.found), problem)


class _EnoughError(Exception):
    """The rest of a value need not be looked at."""


class _Listener(pickle.Pickler):
    """Pickles into nowhere and takes note of the names that go by.

    Attributes:
        found: What the value refers to.
    """

    def __init__(self) -> None:
        super().__init__(_Nowhere(), protocol=5, buffer_callback=lambda _: False)
        self.found: dict[Reference, None] = {}

    def reducer_override(self, held: Any) -> Any:
        """Take note of a class or function; leave out what a tensor holds.

        Whether a name of the notebook still means the same is not asked: in a step it does.
        """
        named = isinstance(held, (type, types.FunctionType, types.BuiltinFunctionType))
        told = held if named else type(held)
        module, name = str(getattr(told, "__module__", "")), told.__qualname__
        if module and "<" not in name:
            self.found[Reference(module, name.partition(".")[0])] = None
            if named and module == "__main__":
                return int, ()
        if not named and module.partition(".")[0] == "torch" and hasattr(held, "untyped_storage"):
            return int, ()
        return NotImplemented


class _Nowhere:
    """A file that keeps nothing, and no more of it than `LIMIT`."""

    def __init__(self) -> None:
        self.length = 0

    def write(self, data: Any) -> int:
        """Count what is written.

        Raises:
            _EnoughError: It is enough.
        """
        self.length += len(data)
        if self.length > LIMIT:
            raise _EnoughError(LIMIT)
        return len(data)
