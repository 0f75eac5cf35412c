"""Whether the packages that a step asks for are there already."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import metadata


def missing(requirements: Iterable[str]) -> list[str]:
    """Return the requirements that this Python's packages do not satisfy.

    What is not a plain requirement (a path, a URL, an option) counts as missing: pip decides.
    """
    return [text for text in requirements if not _satisfied(text)]


def _satisfied(text: str, extra: str = "") -> bool:
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        return False
    if requirement.marker is not None and not requirement.marker.evaluate({"extra": extra}):
        return True
    if requirement.url is not None:
        return False
    try:
        version = metadata.version(requirement.name)
    except metadata.PackageNotFoundError:
        return False
    if not requirement.specifier.contains(version, prereleases=True):
        return False
    needs = metadata.requires(requirement.name) or [] if requirement.extras else []
    return all(_satisfied(need, wanted) for wanted in requirement.extras for need in needs)
