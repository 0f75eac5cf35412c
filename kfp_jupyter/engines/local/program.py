"""The executor's file on this machine: its joined text, compiled once so that steps start faster."""

from __future__ import annotations

import hashlib
import os
import py_compile
import sys
from pathlib import Path

from kfp_jupyter.engines.local.plan import write_whole
from kfp_jupyter.executor import program


def executor_file(data: Path) -> Path:
    """Return the executor's file, made if it is not there yet.

    Args:
        data: The folder of all runs' data.
    """
    text = program()
    folder = data / "executor"
    name = f"{hashlib.sha256(text.encode()).hexdigest()[:16]}-{sys.implementation.cache_tag}"
    compiled = folder / f"{name}.pyc"
    if not compiled.exists():
        folder.mkdir(parents=True, exist_ok=True)
        source = folder / f"{name}.py"
        write_whole(source, text)
        part = folder / f"{name}.{os.getpid()}"
        py_compile.compile(str(source), cfile=str(part), doraise=True)
        part.replace(compiled)
    return compiled
