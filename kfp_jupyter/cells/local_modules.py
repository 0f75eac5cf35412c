"""Modules of the user's own that a component imports: their text travels with it.

The text becomes part of the step's source, as an importer that knows these modules and no others; nothing is
guessed about a package index. What a module imports from its neighbours is brought along too. In a step the
modules have the names they have in the notebook, and tracebacks show their lines.
"""

from __future__ import annotations

import tokenize
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from kfp_jupyter.cells.errors import LocalModuleError
from kfp_jupyter.cells.names import Import, analyse
from kfp_jupyter.cells.origin import place_name
from kfp_jupyter.cells.provenance import absolute, local_file, root
from kfp_jupyter.model.component import PREAMBLE, Fragment

LARGEST = 500_000
"""The most characters of local modules that travel with one component."""

_IMPORTER = """\
import importlib.abc, importlib.util, sys
class _LocalModules(importlib.abc.MetaPathFinder, importlib.abc.ExecutionLoader):
    def __init__(self, texts): self.texts = texts
    def find_spec(self, name, path=None, target=None):
        return importlib.util.spec_from_loader(name, self) if name in self.texts else None
    def is_package(self, name): return self.texts[name][0].endswith("__init__.py")
    def get_filename(self, name): return self.texts[name][0]
    def get_source(self, name): return self.texts[name][1]
    def install(self):
        for name in self.texts: sys.modules.pop(name, None)
        sys.meta_path.insert(0, self)
"""


@dataclass(frozen=True, slots=True)
class LocalModule:
    """A module of the user's own.

    Attributes:
        name: Its full name.
        file: Its file, for people.
        text: Its text; empty for a folder without `__init__.py`.
        is_package: Whether it is a package.
        imports: What it imports, with full names of modules.
        data: Whether it looks for files that lie beside it.
    """

    name: str
    file: str
    text: str
    is_package: bool
    imports: tuple[Import, ...]
    data: bool


def local_modules(names: Iterable[str], where: str) -> dict[str, LocalModule]:
    """Return the modules of the user's own that importing these needs, each after its package.

    Args:
        names: Full names of modules.
        where: The place that imports them, for messages.

    Raises:
        LocalModuleError: One cannot be sent to a step: it is compiled, not Python, or too large.
    """
    found: dict[str, LocalModule] = {}
    waiting = [(name, where) for name in names]
    while waiting:
        name, place = waiting.pop(0)
        parts = name.split(".")
        for count in range(1, len(parts) + 1):
            part = ".".join(parts[:count])
            if part in found:
                continue
            file = local_file(part)
            if file is None:
                break
            module = _read(part, file, place)
            found[part] = module
            for given in module.imports:
                waiting.append((given.module, f"{module.file}, line {given.place.line}"))
                # What is taken from a package may itself be a module of it.
                inner = f"{given.module}.{given.attribute}"
                if given.attribute and given.name != "*" and local_file(inner) is not None:
                    waiting.append((inner, f"{module.file}, line {given.place.line}"))
    size = sum(len(module.text) for module in found.values())
    if size > LARGEST:
        raise LocalModuleError(
            f"The local modules that the component imports have {size:,} characters ({', '.join(found)}).",
            where=where,
            remedy=f"At most {LARGEST:,} travel with a step: install them in its image, and name that "
            "with --base-image.",
        )
    return found


def importer(modules: Iterable[LocalModule]) -> Fragment | None:
    """Return the source that makes these modules importable in a step; None if there are none."""
    entries = []
    for module in sorted(modules, key=lambda held: held.name):
        path = module.name.replace(".", "/") + ("/__init__.py" if module.is_package else ".py")
        entries.append(f'    "{module.name}": ("{path}", {_literal(module.text)}),\n')
    if not entries:
        return None
    text = f"{_IMPORTER}_LocalModules({{\n{''.join(entries)}}}).install()\n"
    return Fragment(text, PREAMBLE)


def _literal(text: str) -> str:
    """Return a text as a literal that can be read: over several lines, as it was written."""
    if "\r" in text or "\0" in text:
        return repr(text)
    escaped = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    if escaped.endswith('"'):
        escaped = f'{escaped[:-1]}\\"'
    return f'"""{escaped}"""'


def _read(name: str, file: Path, where: str) -> LocalModule:
    if file.is_dir():
        return LocalModule(name, place_name(str(file)), "", True, (), False)
    if file.suffix != ".py":
        raise LocalModuleError(
            f"The local module {name!r} is no Python text ({file.name}), so it cannot travel with the step.",
            where=where,
            remedy="Install it in the step's image, and name that with --base-image.",
        )
    shown = place_name(str(file))
    is_package = file.name == "__init__.py"
    try:
        with tokenize.open(file) as opened:  # heeds `# coding: …`
            text = opened.read()
        names = analyse(text)
    except (OSError, UnicodeDecodeError, SyntaxError) as error:
        raise LocalModuleError(
            f"The local module {name!r} cannot be read: {error}.", where=where, remedy=f"Correct {shown}."
        ) from error
    package = name if is_package else name.rpartition(".")[0]
    imports = tuple(replace(held, module=absolute(held.module, package)) for held in names.imports)
    data = "__file__" in names.builtins or any(
        root(held.module) in ("pkgutil", "pkg_resources") or held.module.startswith("importlib.resources")
        for held in imports
    )
    return LocalModule(name, shown, text, is_package, imports, data)


def outside_imports(modules: Iterable[LocalModule]) -> list[tuple[LocalModule, Import]]:
    """Return what these modules import that is none of them."""
    held = {module.name: module for module in modules}
    return [
        (module, given)
        for module in held.values()
        for given in module.imports
        if given.module not in held and f"{given.module}.{given.attribute}" not in held
    ]
