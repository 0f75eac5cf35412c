"""The subcommands that make room: `gc` and `cache`."""

from __future__ import annotations

from argparse import Namespace

from kfp_jupyter.cli.commands import OK, say
from kfp_jupyter.notebook import upkeep


def gc(options: Namespace) -> int:
    """Remove the artifacts, logs, environments and cached results that were not used for long."""
    upkeep.gc(options, say)
    return OK


def cache(_options: Namespace) -> int:
    """Forget all cached results; each step runs again the next time."""
    upkeep.forget(say)
    return OK
