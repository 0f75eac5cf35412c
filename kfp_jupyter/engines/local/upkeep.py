"""Making room: what no run needs any more is removed from the data folder.

A run that has ended so long ago, and whose results no other run has used since, goes with its artifacts and
logs; the history, which is no part of this, still tells how it ended. With it go the cached results that lay
in it. What was brought of a run on a cluster, or downloaded by an importer, goes when it was not asked for as
long. An environment goes when no step has used it for as long, and is made again when one does. What was used
since a run began that has not ended stays, however short the time.
"""

from __future__ import annotations

import contextlib
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

REMOVED = ("runs", "environments", "fetched", "imports", "executor")
"""The folders, in that of all runs' data, in which something may be left by somebody who was killed."""


@dataclass(slots=True)
class Removed:
    """What was removed, or would be.

    Attributes:
        runs: The ids of the runs.
        environments: How many environments.
        results: How many cached results.
        fetched: Of how many runs on clusters the artifacts that were brought from there.
        downloads: How much importers had downloaded, counted in files and folders.
        size: How many bytes in all.
    """

    runs: list[str]
    environments: int = 0
    results: int = 0
    fetched: int = 0
    downloads: int = 0
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
    began = _began(data)
    before = min([time.time() - seconds, *began])
    removed = Removed([])
    for run in _old_runs(data, before):
        if _remove(run.path, run.lock, removed, dry_run=dry_run):
            removed.runs.append(run.path.name)
    for environment in _old(data / "environments", "ready", before):
        lock = environment.with_suffix(".lock")
        removed.environments += _remove(environment, lock, removed, dry_run=dry_run)
    for brought in _old(data / "fetched", "", before):
        removed.fetched += _remove(brought, None, removed, dry_run=dry_run)
    for download in _old(data / "imports", "", before):
        removed.downloads += _remove(download, None, removed, dry_run=dry_run)
    current = executor_file(data).parent
    # The programs of an earlier version may be those of a run that goes on.
    for programs in _old(data / "executor", "", before) if not began else ():
        if programs != current:
            _remove(programs, None, removed, dry_run=dry_run)
    if not dry_run:
        _finish(data)
    removed.results = Cache(data / "cache").prune(without=removed.runs, dry_run=dry_run)
    return removed


def _began(data: Path) -> list[float]:
    """Return when each run began, or went on, that has not ended."""
    runs = (RunFolder(plan.parent) for plan in (data / "runs").glob("*/plan.json"))
    return [run.plan.stat().st_mtime for run in runs if is_held(run.lock)]


def _finish(data: Path) -> None:
    """Remove what was put out of sight by somebody who was killed before he had removed it."""
    for left in data.glob("*/.*.*"):
        if left.is_dir() and left.parent.name in REMOVED:
            shutil.rmtree(left, ignore_errors=True)


def _old_runs(data: Path, before: float) -> Iterator[RunFolder]:
    for path in _old(data / "runs", "journal.jsonl", before):
        run = RunFolder(path)
        if not is_held(run.lock):
            yield run


def _old(folder: Path, sign: str, before: float) -> Iterator[Path]:
    """Yield the folders in a folder whose sign of use, a file in each, is older, or is not there."""
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        used = path / sign
        try:
            old = (used if used.exists() else path).stat().st_mtime <= before
        except FileNotFoundError:
            # Somebody else removes it.
            continue
        if old and path.is_dir() and not path.name.startswith("."):
            yield path


def _remove(path: Path, lock: Path | None, removed: Removed, *, dry_run: bool) -> bool:
    """Remove a folder, and say whether it is gone, or would be."""
    with contextlib.suppress(FileNotFoundError):
        size = sum(file.lstat().st_size for file in path.rglob("*") if file.is_file())
        if dry_run or _gone(path, lock):
            removed.size += size
            return True
    return False


def _gone(path: Path, lock: Path | None) -> bool:
    held = None if lock is None else take(lock)
    if lock is not None and held is None:
        # Taken into use in this moment.
        return False
    try:
        # Out of sight first, so that nobody finds half of it.
        gone = path.with_name(f".{path.name}.{os.getpid()}")
        path.rename(gone)
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(gone)
        return True
    finally:
        if held is not None:
            os.close(held)
