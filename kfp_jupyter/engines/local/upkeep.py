"""Making room: what no run needs any more is removed from the data folder.

A run that has ended so long ago goes with its artifacts and logs; the history, which is no part of this,
still tells how it ended. With it go the cached results that lay in it. What was brought of a run on a cluster
goes when it was not asked for as long. An environment goes when no step has used it for as long, and is made
again when one does.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kfp_jupyter.engines.local.cache import Cache
from kfp_jupyter.engines.local.folder import RunFolder
from kfp_jupyter.engines.local.lock import is_held, take
from kfp_jupyter.engines.local.program import executor_file


@dataclass(slots=True)
class Removed:
    """What was removed, or would be.

    Attributes:
        runs: The ids of the runs.
        environments: How many environments.
        results: How many cached results.
        fetched: Of how many runs on clusters the artifacts that were brought from there.
        size: How many bytes in all.
    """

    runs: list[str]
    environments: int = 0
    results: int = 0
    fetched: int = 0
    size: int = 0


def collect(data: Path, seconds: float, *, dry_run: bool = False) -> Removed:
    """Remove what was not used for so long.

    Args:
        data: The folder of all runs' data.
        seconds: How long; 0 takes everything that is not in use.
        dry_run: Only find out.

    Raises:
        OSError: Something could not be removed.
    """
    before = time.time() - seconds
    removed = Removed([])
    for run in _old_runs(data, before):
        removed.runs.append(run.path.name)
        _remove(run.path, run.lock, removed, dry_run=dry_run)
    for environment in _old(data / "environments", "ready", before):
        removed.environments += 1
        _remove(environment, environment.with_suffix(".lock"), removed, dry_run=dry_run)
    for brought in _old(data / "fetched", "", before):
        removed.fetched += 1
        _remove(brought, None, removed, dry_run=dry_run)
    current = executor_file(data).parent
    for programs in _old(data / "executor", "", before):
        if programs != current:
            _remove(programs, None, removed, dry_run=dry_run)
    removed.results = Cache(data / "cache").prune(without=removed.runs, dry_run=dry_run)
    return removed


def _old_runs(data: Path, before: float) -> Iterator[RunFolder]:
    for path in _old(data / "runs", "journal.jsonl", before):
        run = RunFolder(path)
        if not is_held(run.lock):
            yield run


def _old(folder: Path, sign: str, before: float) -> Iterator[Path]:
    """Yield the folders in a folder whose sign of use, a file in each, is older, or is not there."""
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        used = path / sign
        if path.is_dir() and (used if used.exists() else path).stat().st_mtime <= before:
            yield path


def _remove(path: Path, lock: Path | None, removed: Removed, *, dry_run: bool) -> None:
    removed.size += sum(file.lstat().st_size for file in path.rglob("*") if file.is_file())
    if dry_run:
        return
    held = None if lock is None else take(lock)
    if lock is not None and held is None:
        # Taken into use in this moment.
        return
    try:
        # Out of sight first, so that nobody finds half of it.
        gone = path.with_name(f".{path.name}.{os.getpid()}")
        path.rename(gone)
        shutil.rmtree(gone)
    finally:
        if held is not None:
            os.close(held)
