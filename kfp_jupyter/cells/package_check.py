"""Which packages a step needs, told from its imports and from what is installed where the notebook runs.

An import is answered by Python itself, by a package that is listed, by one that a listed package requires, or
by the user's own modules, which travel along. What is left is missing in the step's image; the installed
distribution that provides it is proposed. A name of a module is never taken for the name of a package.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from importlib import metadata

from kfp_jupyter.cells.capture import Needed
from kfp_jupyter.cells.finding import WARNING, Finding, Where
from kfp_jupyter.cells.provenance import (
    AUTHORING,
    Distribution,
    distribution_of,
    is_importable,
    is_standard,
    mentions,
    provided_roots,
    requirement_name,
    root,
    same_distribution,
)

AUTO, AUTO_EXACT = "auto", "auto-exact"
"""What stands for the proposed packages in a list of them, the second with their exact versions."""

_PLAIN_IMAGE = re.compile(r"^(docker\.io/)?(library/)?python:")


def resolved(packages: Iterable[str], imports: Iterable[Needed], local: Iterable[str]) -> tuple[str, ...]:
    """Return a list of packages with `auto` replaced by what the imports need.

    Args:
        packages: Requirements, and perhaps `auto` or `auto-exact`.
        imports: The imports that the step runs.
        local: The names of modules that travel along.
    """
    listed = [held for held in packages if held not in (AUTO, AUTO_EXACT)]
    if len(listed) == len(packages := list(packages)):
        return tuple(listed)
    exact = AUTO_EXACT in packages
    for needed in _outside(imports, local):
        found = distribution_of(needed.imported.module)
        if (
            found is not None
            and not found.folder
            and not _is_covered(found.name, needed.imported.module, listed)
        ):
            listed.append(found.requirement(exact=exact))
    return tuple(listed)


def check_packages(
    packages: tuple[str, ...], imports: Iterable[Needed], local: Iterable[str], image: str, where: Where
) -> Iterator[Finding]:
    """Yield the imports that no package provides, and the packages that no import needs.

    Args:
        packages: The step's requirements.
        imports: The imports that the step runs.
        local: The names of modules that travel along.
        image: The image of the step; what one that is not Python's own holds is not known.
        where: The place of the component, where its packages are listed.
    """
    outside = list(_outside(imports, local))
    missing: dict[str, tuple[Distribution, Needed]] = {}
    # A listed package that is not installed here may provide anything.
    unknown = any(provided_roots(package) is None for package in packages)
    certain = bool(_PLAIN_IMAGE.match(image))
    for needed in outside:
        module = needed.imported.module
        found = distribution_of(module)
        if needed.imported.guarded or not certain:
            continue
        if found is not None and not _is_covered(found.name, module, packages):
            missing.setdefault(found.name, (found, needed))
        elif found is None and not unknown and not is_importable(module):
            what = f"No package that is installed here provides the module {root(module)!r}."
            remedy = "Name the package that has it with --packages, or correct the name."
            yield Finding(WARNING, "unknown-import", what, needed.where, remedy)
    proposal = " ".join(
        [*packages, *(found.requirement() for found, _ in missing.values() if not found.folder)]
    )
    for found, needed in missing.values():
        what = f"The step imports {root(needed.imported.module)!r}, which its image {image} does not have."
        remedy = (
            f"Add `--packages {proposal}` (here: {found.name} {found.version}), or `--packages {AUTO}`; "
            "a decorator has `packages_to_install=[…]`."
        )
        if found.folder:
            remedy = f"{found.name} was installed from a folder: build an image with it, for --base-image."
        yield Finding(WARNING, "package-missing", what, needed.where, remedy)
    yield from _unused(packages, outside, where)


def _unused(packages: tuple[str, ...], outside: list[Needed], where: Where) -> Iterator[Finding]:
    used = {root(needed.imported.module) for needed in outside}
    providers = [distribution_of(needed.imported.module) for needed in outside]
    for package in packages:
        roots = provided_roots(package)
        if roots is None:
            # What it holds is not known; it may be what is imported and not installed either.
            roots = frozenset({requirement_name(package).replace("-", "_").lower()})
            if None in providers:
                continue
        wanted = any(found is not None and mentions(found.name, package) for found in providers)
        if not roots & used and not wanted:
            what = f"No import of the step needs the package {requirement_name(package)!r}."
            yield Finding(WARNING, "unused-package", what, where, "Take it out of the component's packages.")


def _outside(imports: Iterable[Needed], local: Iterable[str]) -> Iterator[Needed]:
    """Yield the imports that neither Python nor the user's own modules answer, each root once."""
    own = {root(name) for name in local}
    seen: set[str] = set()
    for needed in imports:
        module = needed.imported.module
        top = root(module)
        if not top or top in AUTHORING or top in own or top == "__main__" or is_standard(module):
            continue
        # Packages of one namespace (`google.cloud`) come from several distributions.
        found = distribution_of(module)
        key = found.name if found is not None else top
        if key not in seen:
            seen.add(key)
            yield needed


def _is_covered(name: str, module: str, packages: Iterable[str]) -> bool:
    """Say whether one of the packages is that distribution, has that module, or requires the distribution."""
    for package in packages:
        if same_distribution(package, name) or root(module) in (provided_roots(package) or ()):
            return True
        if any(same_distribution(name, held) for held in _required(requirement_name(package))):
            return True
    return False


def _required(name: str) -> set[str]:
    """Return the distributions that installing one installs too, as far as they are installed here."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        try:
            texts = metadata.requires(waiting.pop()) or []
        except (metadata.PackageNotFoundError, ValueError):
            continue
        for text in texts:
            held = requirement_name(text)
            if "extra ==" not in text and held not in found:
                found.add(held)
                waiting.append(held)
    return found
