"""Where a module comes from: Python itself, an installed distribution, or files of the user's own.

It decides how a step gets the module: it is there, it is installed from an index, or its text travels along.
What is not surely an installed distribution is never asked of a package index, where somebody else may own
its name. Nothing is imported; the installed distributions are asked by `importlib.metadata`.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import json
import re
import sys
import sysconfig
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata
from pathlib import Path

AUTHORING = ("kfp", "kfp_jupyter")
"""Packages that every step has stand-ins for."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """An installed distribution.

    Attributes:
        name: Its name, as it is installed by.
        version: Its version.
        url: Where it came from, if not from an index: a repository or an archive with its revision.
        folder: Whether it was installed from a folder of this machine, so that no other can install it.
    """

    name: str
    version: str
    url: str = ""
    folder: bool = False

    def requirement(self, *, exact: bool = False) -> str:
        """Return what installs it, with its exact version if asked for."""
        if self.url:
            return f"{self.name} @ {self.url}"
        # A local version label (`2.1.0+cpu`) is known to no index.
        return f"{self.name}=={self.version.partition('+')[0]}" if exact else self.name


def root(module: str) -> str:
    """Return the top-level package of a module."""
    return module.partition(".")[0]


def is_standard(module: str) -> bool:
    """Say whether Python brings the module itself."""
    return root(module) in sys.stdlib_module_names or root(module) in sys.builtin_module_names


def local_file(module: str) -> Path | None:
    """Return the file of a module of the user's own: one that no distribution has installed from elsewhere.

    A folder without an `__init__.py` is a module without a file, and is returned itself.
    """
    if root(module) in AUTHORING or root(module) == "__main__" or is_standard(module):
        return None
    spec = _spec(module)
    if spec is None:
        return None
    if spec.origin in (None, "namespace") or not spec.has_location:
        folders = list(spec.submodule_search_locations or ())
        file = Path(folders[0]) if folders else None
    else:
        file = Path(str(spec.origin))
    return None if file is None or _is_installed(file) else file


def is_importable(module: str) -> bool:
    """Say whether this kernel has the module."""
    return _spec(module) is not None


def _spec(module: str) -> importlib.machinery.ModuleSpec | None:
    loaded = getattr(sys.modules.get(module), "__spec__", None)
    if loaded is not None:
        return loaded  # type: ignore[no-any-return]
    parent = module.rpartition(".")[0]
    if not parent:
        try:
            return importlib.util.find_spec(module)
        except (ImportError, ValueError, AttributeError):
            return None
    # `find_spec` would import the package, and with it run what it holds.
    package = _spec(parent)
    if package is None or not package.submodule_search_locations:
        return None
    return importlib.machinery.PathFinder.find_spec(module, list(package.submodule_search_locations))


@lru_cache(maxsize=1)
def _site_folders() -> tuple[Path, ...]:
    paths = sysconfig.get_paths()
    return tuple({Path(paths[key]).resolve() for key in ("purelib", "platlib", "stdlib", "platstdlib")})


def _is_installed(file: Path) -> bool:
    parts = file.parts
    if "site-packages" in parts or "dist-packages" in parts:
        return True
    return any(file.resolve().is_relative_to(folder) for folder in _site_folders())


@lru_cache(maxsize=512)
def distribution_of(module: str) -> Distribution | None:
    """Return the installed distribution that provides a module; None if none does."""
    names = [root(module)]
    found: metadata.Distribution | None = None
    with suppress(metadata.PackageNotFoundError, ValueError):
        found = metadata.distribution(names[0])
    if found is None or not _provides(found, module):
        candidates = [
            metadata.distribution(name) for name in dict.fromkeys(_distributions().get(names[0], ()))
        ]
        # Several share a namespace such as `google`; one of them has this very module.
        having = [held for held in candidates if _provides(held, module)]
        found = next(iter(having or candidates), None)
    return _described(found) if found is not None else None


@lru_cache(maxsize=256)
def provided_roots(requirement: str) -> frozenset[str] | None:
    """Return the top-level modules of a requirement's distribution; None if it is not installed here."""
    name = requirement_name(requirement)
    try:
        found = metadata.distribution(name)
    except (metadata.PackageNotFoundError, ValueError):
        return None
    own = {root for root, names in _distributions().items() if _normal(found.name) in map(_normal, names)}
    return frozenset(own)


@lru_cache(maxsize=256)
def mentions(distribution: str, other: str) -> bool:
    """Say whether an installed distribution requires another one, also if only for an extra."""
    return any(same_distribution(text, other) for text in _wanted(distribution))


@lru_cache(maxsize=256)
def installs(distribution: str, other: str) -> bool:
    """Say whether installing a distribution installs another one, as its metadata here say."""
    return any(same_distribution(text, other) and "extra ==" not in text for text in _wanted(distribution))


def _wanted(distribution: str) -> list[str]:
    try:
        return metadata.requires(distribution) or []
    except metadata.PackageNotFoundError:
        return []


def requirement_name(requirement: str) -> str:
    """Return the name in a requirement such as `pandas[excel]>=2; python_version > "3"`."""
    match = re.match(r"\s*([A-Za-z0-9][\w.-]*)", requirement)
    return match[1] if match else requirement.strip()


def same_distribution(one: str, other: str) -> bool:
    """Say whether two requirements name the same distribution."""
    return _normal(requirement_name(one)) == _normal(requirement_name(other))


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@lru_cache(maxsize=1)
def _distributions() -> dict[str, list[str]]:
    found = dict(metadata.packages_distributions())
    if sys.version_info < (3, 11):
        # There it only knows what distributions list themselves, which newer builders no longer do.
        for held in metadata.distributions():
            if not held.read_text("top_level.txt"):
                for top in {_top(file) for file in held.files or ()} - {""}:
                    found.setdefault(top, []).append(held.name)
    return found


def _top(file: metadata.PackagePath) -> str:
    """Return the top-level module that a file of a distribution belongs to; empty if it is none's."""
    name = file.parts[0] if len(file.parts) > 1 else file.stem if file.suffix == ".py" else ""
    return name if name.isidentifier() else ""


def _provides(found: metadata.Distribution, module: str) -> bool:
    path = module.replace(".", "/")
    files = {str(file) for file in found.files or ()}
    heads = (f"{path}.py", f"{path}/__init__.py", f"{path}.pyi")
    if any(head in files for head in heads):
        return True
    prefix, dotted = f"{path}/", f"{path}."
    return any(name.startswith((prefix, dotted)) for name in files)


def _described(found: metadata.Distribution) -> Distribution:
    name, version = found.name, found.version
    try:
        origin = json.loads(found.read_text("direct_url.json") or "{}")
    except ValueError:
        origin = {}
    url = str(origin.get("url", ""))
    if not url:
        return Distribution(name, version)
    if url.startswith("file:"):
        return Distribution(name, version, folder=True)
    control = origin.get("vcs_info", {})
    if control:
        url = f"{control.get('vcs', 'git')}+{url}@{control.get('commit_id', '')}"
    return Distribution(name, version, url)


def absolute(module: str, package: str) -> str:
    """Return a module's full name, where a text may name it relative to its package (`.data`, `..shared`).

    Args:
        module: The name, as an import says it.
        package: The package that the text is of; empty for a notebook.
    """
    dots = len(module) - len(module.lstrip("."))
    if not dots:
        return module
    parts = package.split(".")
    return ".".join([*parts[: len(parts) - dots + 1], *filter(None, [module[dots:]])])
