"""The lines that install packages in a step's command, written and read back."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from kfp_jupyter.model.component import PythonStep

_INSTALL = """\
command -v pip > /dev/null || python3 -m ensurepip || python3 -m ensurepip --user
{installs} && "$0" "$@"
"""


@dataclass(frozen=True, slots=True)
class Installed:
    """What the lines of a command install, and from where; KFP's own SDK left out.

    Attributes:
        packages: Requirements.
        index_urls: Package indexes.
        trusted_hosts: Hosts that pip trusts without TLS.
    """

    packages: tuple[str, ...]
    index_urls: tuple[str, ...]
    trusted_hosts: tuple[str, ...]


def install(step: PythonStep, requirements: Iterable[list[str]]) -> list[str]:
    """Return the words that install packages and then go on with the words after them.

    Args:
        step: The step, whose package indexes are used.
        requirements: The words of each line of pip; none for an empty list.
    """
    options = [word for option in _index_options(step) for word in option]
    pip = ["PIP_DISABLE_PIP_VERSION_CHECK=1", "python3", "-m", "pip", "install", "--quiet"]
    lines = [" ".join([*pip, *map(shlex.quote, [*options, *held])]) for held in requirements if held]
    return ["sh", "-c", _INSTALL.format(installs=" && ".join(lines))] if lines else []


def installs_as_asked(step: PythonStep) -> bool:
    """Say whether the launcher of a step, which was read, still installs what the step asks for."""
    held = installed_by(step.launcher)
    return (held.packages, held.index_urls, held.trusted_hosts) == (
        step.packages,
        step.pip_index_urls,
        step.pip_trusted_hosts,
    )


@lru_cache(maxsize=512)
def installed_by(words: tuple[str, ...]) -> Installed:
    """Return what a command installs with pip before it goes on."""
    packages: dict[str, None] = {}
    indexes: dict[str, None] = {}
    hosts: dict[str, None] = {}
    for word in words:
        if "pip install" not in word:
            continue
        for line in re.split(r"&&|\n", word):
            listed = {
                "": packages,
                "--index-url": indexes,
                "--extra-index-url": indexes,
                "--trusted-host": hosts,
            }
            _read_line(line, listed)
    return Installed(*(tuple(held) for held in (packages, indexes, hosts)))


def _read_line(line: str, listed: dict[str, dict[str, None]]) -> None:
    if "pip install" not in line:
        return
    try:
        words = shlex.split(line)
    except ValueError:
        return
    if "install" not in words:
        return
    words = words[words.index("install") + 1 :]
    # The SDK alone is installed without its dependencies; the requirement beside it is the SDK's.
    ours = "--no-deps" in words and any(_is_sdk(word) for word in words)
    option = ""
    for word in words:
        if option:
            listed[option][word] = None
            option = ""
        elif word in listed and word:
            option = word
        elif not word.startswith("-") and not ours and not _is_sdk(word):
            listed[""][word] = None


def _is_sdk(requirement: str) -> bool:
    return bool(re.match(r"kfp([^\w-]|$)", requirement)) or "kubeflow/pipelines" in requirement


def _index_options(step: PythonStep) -> list[tuple[str, str]]:
    indexes = [("--extra-index-url", url) for url in step.pip_index_urls]
    first = [("--index-url", step.pip_index_urls[0])] if indexes else []
    return [*first, *indexes[1:], *(("--trusted-host", host) for host in step.pip_trusted_hosts)]
