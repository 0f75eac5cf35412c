"""`kfp-jupyter`: run, compile, draw and look after pipelines from a terminal.

`command` reads the line; `source` finds the pipelines in a file; `commands` does the work, over the
workbench; `progress` shows a run while it goes on.
"""

from __future__ import annotations

from kfp_jupyter.cli.command import main

__all__ = ["main"]
