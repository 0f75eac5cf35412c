"""`gc` and `cache`: the commands that make room on this machine, in a notebook's line and in a shell."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from kfp_jupyter.errors import KfpJupyterError

_DAY = 86_400
_MEGABYTE = 1_000_000


def age(text: str) -> float:
    """Return the seconds of an age such as `30d` or `12h`; a number alone is days.

    Raises:
        ArgumentTypeError: It is none.
    """
    from kfp_jupyter.cells.quantity import seconds

    try:
        return float(text) * _DAY if text.replace(".", "", 1).isdecimal() else seconds(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no age; write days or a unit, as in 30d or 12h"
        ) from None


def add_gc_choices(parser: argparse.ArgumentParser) -> None:
    """Add the options of `gc`."""
    parser.add_argument("--older-than", type=age, default="30d", metavar="AGE", help="30d if left out")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be removed")


def gc(options: argparse.Namespace, say: Callable[[str], None]) -> None:
    """Remove the artifacts, logs, environments and cached results that were not used for long.

    Args:
        options: What `add_gc_choices` has read.
        say: Called with each line of what was removed.

    Raises:
        KfpJupyterError: Something could not be removed.
    """
    from kfp_jupyter.engines.local.upkeep import collect
    from kfp_jupyter.paths import data_dir

    try:
        removed = collect(data_dir(), options.older_than, dry_run=options.dry_run)
    except OSError as error:
        raise KfpJupyterError(
            f"Not everything could be removed: {error.strerror or error}.",
            where=str(error.filename or data_dir()),
            remedy="Make that folder writable, and try again.",
        ) from error
    would = "Would remove" if options.dry_run else "Removed"
    for run_id in removed.runs:
        say(f"{would} the artifacts and logs of run {run_id}.")
    what = f"{len(removed.runs)} runs, {removed.environments} environments, {removed.results} cached results"
    if removed.fetched:
        what += f", artifacts brought of {removed.fetched} runs on clusters"
    if removed.downloads:
        what += f", {removed.downloads} downloads of importers"
    say(f"{would} {what}: {removed.size / _MEGABYTE:,.1f} MB. The history keeps how the runs ended.")


def forget(say: Callable[[str], None]) -> None:
    """Forget all cached results; each step runs again the next time."""
    from kfp_jupyter.engines.local.cache import Cache
    from kfp_jupyter.paths import data_dir

    say(f"Forgot {Cache(data_dir() / 'cache').clear()} cached results.")
