"""The subcommands that make room: `gc` and `cache`."""

from __future__ import annotations

from argparse import ArgumentTypeError, Namespace

from kfp_jupyter.cli.commands import OK, say

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
        raise ArgumentTypeError(f"{text!r} is no age; write days or a unit, as in 30d or 12h") from None


def gc(options: Namespace) -> int:
    """Remove the artifacts, logs, environments and cached results that were not used for long."""
    from kfp_jupyter.engines.local.upkeep import collect
    from kfp_jupyter.errors import KfpJupyterError
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
    return OK


def cache(_options: Namespace) -> int:
    """Forget all cached results; each step runs again the next time."""
    from kfp_jupyter.engines.local.cache import Cache
    from kfp_jupyter.paths import data_dir

    say(f"Forgot {Cache(data_dir() / 'cache').clear()} cached results.")
    return OK
