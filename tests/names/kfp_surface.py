"""What a user of the KFP SDK can name: prints it as JSON, with the signatures of what can be called.

Run by a Python that has kfp and kfp-kubernetes 2.17, with the file to be written: `kfp-2.17.0.json`. It is a
program by itself; its function `signature` describes our names, too.
"""

from __future__ import annotations

import enum
import importlib
import inspect
import json
import sys
import warnings
from pathlib import Path
from typing import Any

MODULES = (
    "kfp",
    "kfp.dsl",
    "kfp.compiler",
    "kfp.components",
    "kfp.kubernetes",
    "kfp.local",
    "kfp.client",
    "kfp.registry",
)

UNLISTED = {"kfp.dsl": ("EmbeddedInput",), "kfp": ("TYPE_CHECK", "__version__")}
"""Names that are documented and missing in their module's own list."""


def signature(held: Any) -> list[list[str]] | None:
    """Return the arguments of what can be called, each as kind, name and default; None for other things."""
    # How an enumeration's members are looked up is Python's, and differs from version to version.
    if not callable(held) or (inspect.isclass(held) and issubclass(held, enum.Enum)):
        return None
    try:
        arguments = inspect.signature(held).parameters.values()
    except (TypeError, ValueError):
        return []
    return [
        [
            argument.kind.name,
            argument.name,
            "" if argument.default is argument.empty else default(argument.default),
        ]
        for argument in arguments
        if argument.name not in ("self", "cls")
    ]


def default(value: Any) -> str:
    """Return a default as text, without where it stands in memory."""
    return value.__name__ if inspect.isclass(value) or inspect.isfunction(value) else repr(value)


def members(held: type) -> list[str]:
    """Return the public names in a class, those of its bases included."""
    known = {name for kind in (Exception, dict, int, str) for name in dir(kind)}
    return [
        name
        for name in dir(held)
        if not name.startswith("_")
        and name not in known
        and ":meta private:" not in (inspect.getdoc(inspect.getattr_static(held, name)) or "")
    ]


def surface() -> dict[str, list[list[str]] | None]:
    """Return the signature of each public name, None for what is not called."""
    found: dict[str, list[list[str]] | None] = {}
    seen: set[int] = set()
    for module in MODULES:
        held = importlib.import_module(module)
        for name in sorted({*(getattr(held, "__all__", None) or public(held)), *UNLISTED.get(module, ())}):
            value = getattr(held, name)
            if inspect.ismodule(value):
                continue
            found[f"{module}.{name}"] = signature(value)
            if inspect.isclass(value) and id(value) not in seen:
                seen.add(id(value))
                for member in members(value):
                    static = inspect.getattr_static(value, member)
                    called = None if isinstance(static, property) else signature(getattr(value, member))
                    found[f"{module}.{name}.{member}"] = called
    return found


def public(module: Any) -> list[str]:
    """Return what a module without a list of its names has for everybody."""
    names = (name for name in vars(module) if not name.startswith("_"))
    return [name for name in names if getattr(vars(module)[name], "__module__", "").startswith("kfp")]


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    Path(sys.argv[1]).write_text(json.dumps(surface(), indent=1, sort_keys=True) + "\n", encoding="utf-8")
