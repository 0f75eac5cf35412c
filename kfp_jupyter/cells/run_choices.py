"""How a run is to be run besides where and with what: options that all commands and magics share."""

from __future__ import annotations

import argparse
import contextlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RunChoices:
    """What was chosen.

    Attributes:
        caching: Whether earlier results may be used.
        jobs: The most steps at once; 0 leaves it open.
        host_containers: Whether commands of container components run on this machine itself.
        in_containers: Whether steps in Python, too, run in containers.
    """

    caching: bool = True
    jobs: int = 0
    host_containers: bool = False
    in_containers: bool = False


def count(text: str) -> int:
    """Return the number of things, at least one, that a word on a line says.

    Raises:
        argparse.ArgumentTypeError: It says none.
    """
    with contextlib.suppress(ValueError):
        if (number := int(text)) > 0:
            return number
    raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 on")


def add_run_choices(parser: argparse.ArgumentParser) -> None:
    """Add the options to a parser."""
    add = parser.add_argument
    add("--no-cache", action="store_true", help="run every step, never use earlier results")
    add("--jobs", type=count, default=0, metavar="COUNT", help="the most steps at once")
    where = parser.add_mutually_exclusive_group().add_argument
    where(
        "--host-containers",
        action="store_true",
        help="run the commands of container components on this machine itself, without their images",
    )
    where(
        "--in-containers",
        action="store_true",
        help="run steps in Python in containers too, each in its image, with docker or podman",
    )


def read_run_choices(options: argparse.Namespace) -> RunChoices:
    """Return what was chosen on a line."""
    return RunChoices(
        caching=not options.no_cache,
        jobs=options.jobs,
        host_containers=options.host_containers,
        in_containers=options.in_containers,
    )
