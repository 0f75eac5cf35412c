"""Which format a value of the notebook will be stored in, and which packages storing and loading it takes.

The formats themselves are in `kfp_jupyter.executor.formats`, and go with each step; there they are chosen by
the value that the step has. Here the value in the notebook stands for it: the packages that its format and
its type belong to join the step's packages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from kfp_jupyter.cells.cell_source import RUNTIME
from kfp_jupyter.cells.errors import ComponentError, SerializerError
from kfp_jupyter.cells.origin import function_fragment
from kfp_jupyter.cells.provenance import (
    distribution_of,
    installs,
    is_standard,
    local_file,
    root,
    same_distribution,
)
from kfp_jupyter.cells.references import Pickled, pickled
from kfp_jupyter.executor.formats import (
    FORMATS,
    STORED,
    Format,
    is_array,
    is_estimator,
    is_exactly,
    is_torch,
    type_name,
)
from kfp_jupyter.executor.formats import load as load_value
from kfp_jupyter.model.component import Fragment

# The packages whose code stores and loads a format, besides those of the value.
_NEEDED = {
    "parquet": ("pyarrow",),
    "feather": ("pyarrow",),
    "npz": ("numpy",),
    "safetensors": ("safetensors", "torch"),
    "torch": ("torch",),
    "joblib": ("joblib",),
}
# Formats that hold classes and functions by their names.
_BY_NAME = frozenset({"joblib", "pickle", "torch"})
_REGISTER = """\
_kfp_jupyter["FORMATS"].insert(0, _kfp_jupyter["Format"](
    {name!r},
    lambda value: f"{{type(value).__module__}}.{{type(value).__qualname__}}" == {name!r},
    {functions},
))
"""

# The functions of each registered class: their text, their names, and the packages they take.
_registered: dict[str, tuple[tuple[Fragment, ...], tuple[str, str], tuple[str, ...]]] = {}


@dataclass(frozen=True, slots=True)
class Choice:
    """How a value is stored.

    Attributes:
        format: The format's name.
        type: The type's name, as people write it: `pandas.DataFrame`.
        packages: The distributions that storing and loading it takes.
        names: The notebook's own classes and functions that loading it takes.
        modules: The modules of the user's own that define such.
        problem: Why it cannot be stored; empty if nothing speaks against it.
    """

    format: str
    type: str
    packages: tuple[str, ...]
    names: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    problem: str = ""

    @property
    def announced(self) -> bool:
        """True if it will be stored as a pickle, which only the same packages can load."""
        return self.format == "pickle"


def choice(value: Any) -> Choice:
    """Return how a value will be stored, as far as can be said without storing it."""
    name = next(known.name for known in FORMATS if _fits(known, value))
    held = pickled(value) if name in _BY_NAME else Pickled()
    modules = dict.fromkeys([type(value).__module__, *(reference.module for reference in held.references)])
    own = tuple(module for module in modules if name in _BY_NAME and local_file(module) is not None)
    roots = dict.fromkeys(root(module) for module in modules if module not in own)
    packages = _without_implied(dict.fromkeys(_distributions(roots)))
    if "polars" not in roots:
        packages += list(_distributions(_NEEDED.get(name, ())))
    packages += _registered[name][2] if name in _registered else ()
    return Choice(
        name,
        type_name(value),
        tuple(dict.fromkeys(packages)),
        tuple(dict.fromkeys(known.name for known in held.references if known.module == "__main__")),
        own,
        held.problem,
    )


def load(artifact: Any) -> Any:
    """Return the value that a cell has stored as an artifact.

    Args:
        artifact: What a run has of it (`run.tasks[…].artifacts[…]`), or an `Artifact`, whose file is here.

    Raises:
        SerializerError: No cell has stored it, or its file is elsewhere.
    """
    stored = artifact.metadata.get(STORED)
    if not stored:
        raise SerializerError(
            "The artifact holds no value of a cell.",
            where=artifact.uri,
            remedy="A function has written its file; read it from `.path`.",
        )
    if not artifact.path:
        raise SerializerError(
            "The artifact's file is not on this machine.",
            where=artifact.uri,
            remedy="Fetch it, then load it from there: `Artifact(uri=PATH, metadata=artifact.metadata)`.",
        )
    return load_value(artifact.path, stored)


def artifact_kind(value: Any) -> str:
    """Return the schema title of what a value is: data, a model, or neither."""
    if is_estimator(value) or (is_torch(value) and not is_exactly(value, "torch", "Tensor")):
        return "system.Model"
    tables = (("pandas", "DataFrame", "Series"), ("polars", "DataFrame", "Series"), ("pyarrow", "Table"))
    if is_array(value) or is_torch(value) or any(is_exactly(value, *table) for table in tables):
        return "system.Dataset"
    return "system.Artifact"


def missing_from(given: Iterable[str], packages: Iterable[str]) -> tuple[str, ...]:
    """Return the packages that no requirement of a step names."""
    known = list(given)
    return tuple(held for held in packages if not any(same_distribution(held, text) for text in known))


def register(
    kind: type, save: Callable[[Any, str], None], load: Callable[[str], Any], *, packages: Iterable[str] = ()
) -> None:
    """Store values of a class with functions of one's own, before any other format.

    The text of both functions goes with every component that is made from now on, so they import what they
    use. Registering a class again replaces its functions.

    Args:
        kind: The class; values of a subclass are others.
        save: Stores a value, given a path; it may make a file or a folder there.
        load: Returns the value, given the path.
        packages: Requirements that the two take besides the class's own package.

    Raises:
        SerializerError: There is no class, or one of the two is no function that can be sent along.
    """
    if not isinstance(kind, type):
        raise SerializerError(f"{kind!r} is no class.", remedy="Name the class whose values are stored so.")
    name = f"{kind.__module__}.{kind.__qualname__}"
    fragments = tuple(_own_fragment(function, kind) for function in (save, load))
    _forget(name)
    _registered[name] = (fragments, (save.__name__, load.__name__), tuple(packages))
    FORMATS.insert(0, Format(name, lambda value: _full_name(value) == name, save, load))


def unregister(kind: type) -> None:
    """Store values of a class again as if it had never been registered."""
    _forget(f"{kind.__module__}.{kind.__qualname__}")


def registered_fragments() -> tuple[Fragment, ...]:
    """Return source that makes a step know the registered classes; it goes after the program for cells."""
    made: list[Fragment] = []
    for name, (fragments, functions, _) in _registered.items():
        made.extend(fragments)
        made.append(Fragment(_REGISTER.format(name=name, functions=", ".join(functions)), RUNTIME))
    return tuple(made)


def _own_fragment(function: Callable[..., Any], kind: type) -> Fragment:
    try:
        return function_fragment(function)
    except ComponentError as error:
        raise SerializerError(
            f"The functions for {kind.__qualname__} cannot be sent along: {error.what}",
            where=error.where,
            remedy="Define both with `def` in a cell or a file.",
        ) from None


def _forget(name: str) -> None:
    _registered.pop(name, None)
    FORMATS[:] = [known for known in FORMATS if known.name != name]


def _full_name(value: Any) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}"


def _fits(known: Format, value: Any) -> bool:
    needed = _NEEDED.get(known.name, ())
    try:
        return known.fits(value) and (
            is_exactly(value, "polars", "DataFrame", "Series")
            or all(find_spec(name) is not None for name in needed)
        )
    except Exception:  # noqa: BLE001 - whatever a class of the user's raises when it is looked at
        return False


def _without_implied(packages: Iterable[str]) -> list[str]:
    """Return packages without those that come with another one."""
    known = list(packages)
    return [held for held in known if not any(installs(other, held) for other in known)]


def _distributions(roots: Iterable[str]) -> Iterator[str]:
    """Yield what installs each package; a module beside the notebook, or a folder's, has nothing to say."""
    for name in roots:
        found = None if name == "__main__" or is_standard(name) else distribution_of(name)
        if found is not None and not found.folder:
            yield found.requirement()
