"""Results of earlier runs, found by what went into them: source, packages, parameters, contents of artifacts.

An entry points to the artifacts where the earlier run left them; it holds while they are there unchanged.
Runs of several kernels use the cache at once: whoever is about to make a result holds a lease on its key, a
lock that the system drops with the process; the others wait for it, and then find the result.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from kfp_jupyter.engines.base import EngineError
from kfp_jupyter.engines.local.exchange import Given, Product
from kfp_jupyter.engines.local.lock import take
from kfp_jupyter.engines.local.place import Place
from kfp_jupyter.engines.local.plan import write_whole
from kfp_jupyter.engines.local.volumes import mounted
from kfp_jupyter.model.codec import encode
from kfp_jupyter.model.component import Component, PythonStep
from kfp_jupyter.model.pipeline import Task
from kfp_jupyter.model.types import Json

BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Found:
    """An earlier result.

    Attributes:
        run_id: The run that it is of.
        product: What the task put out there.
    """

    run_id: str
    product: Product


class Cache:
    """Earlier results.

    Args:
        folder: Where they are kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def key(self, task: Task, component: Component, given: Given, place: Place, data: Path) -> str:
        """Return the key of what a task would put out where it runs.

        Args:
            task: The task, with its settings settled.
            component: What it runs.
            given: What it gets.
            place: Where it runs.
            data: The folder of all runs' data, where secrets and config maps are.
        """
        if task.settings.cache_key:
            return _hash(["user", component.name, task.settings.cache_key])
        step = component.implementation
        source = step.source.text if isinstance(step, PythonStep) else ""
        return _hash(
            [
                {**dict(encode(step)), "source": source},
                [[spec.name, encode(spec.type)] for spec in component.outputs],
                given.parameters,
                {name: [_content(held) for held in listed] for name, listed in given.artifacts.items()},
                given.digests,
                task.settings.env,
                # What it runs with: the image's programs, or those of this machine.
                [place, task.settings.image] if place is Place.CONTAINER else [place, *sys.version_info[:2]],
                *mounted(task.settings.kubernetes, data),
            ]
        )

    def find(self, key: str) -> Found | None:
        """Return the earlier result of a key, if there is one and its artifacts are unchanged."""
        try:
            entry = json.loads(self._place(key).read_text(encoding="utf-8"))
            product = Product(entry["parameters"], entry["artifacts"], entry["digests"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        if any(stamp(uri) != seen for uri, seen in entry["stamps"].items()):
            return None
        return Found(entry["run_id"], product)

    def lease(self, key: str) -> int | None:
        """Take the lease on a key, and return the descriptor that gives it back; None if another has it.

        Raises:
            OSError: The cache cannot be written to.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        place = self._folder / f"{key}.lock"
        while True:
            descriptor = take(place)
            if descriptor is None:
                return None
            try:
                if os.path.samestat(os.fstat(descriptor), place.stat()):
                    return descriptor
            except FileNotFoundError:
                pass
            # Given back, and its file removed, between opening and locking it.
            os.close(descriptor)

    def give_back(self, key: str, lease: int) -> None:
        """Give a lease back."""
        try:
            (self._folder / f"{key}.lock").unlink(missing_ok=True)
        finally:
            os.close(lease)

    def keep(self, key: str, run_id: str, product: Product) -> None:
        """Keep a result, if it is whole; a full disk is no reason for the run to fail."""
        uris = [held["uri"] for listed in product.artifacts.values() for held in listed]
        if any(beside(Path(uri), uris) for uri in uris):
            return
        entry = {
            "run_id": run_id,
            "parameters": product.parameters,
            "artifacts": product.artifacts,
            "digests": product.digests,
            "stamps": {uri: stamp(uri) for uri in uris},
        }
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_whole(self._place(key), json.dumps(entry))
        except OSError:
            return

    def clear(self) -> int:
        """Forget all results; return how many there were. Their artifacts stay with their runs.

        Raises:
            EngineError: They cannot be removed.
        """
        entries = list(self._folder.glob("*.json"))
        try:
            for entry in entries:
                entry.unlink(missing_ok=True)
        except OSError as error:
            raise EngineError(
                f"The cached results could not be removed: {error.strerror or error}.",
                where=str(self._folder),
                remedy="Make that folder writable, and try again.",
            ) from error
        return len(entries)

    def prune(self, *, without: Collection[str] = (), dry_run: bool = False) -> int:
        """Forget the results of some runs, and those whose artifacts are changed or gone; return how many."""
        stale = []
        for entry in self._folder.glob("*.json"):
            found = self.find(entry.stem)
            if found is None or found.run_id in without:
                stale.append(entry)
        for entry in [] if dry_run else stale:
            entry.unlink(missing_ok=True)
        return len(stale)

    def _place(self, key: str) -> Path:
        return self._folder / f"{key}.json"


def beside(path: Path, uris: list[str]) -> list[Path]:
    """Return what a step wrote beside the path of an output that it left empty, as `numpy.savez` does.

    Args:
        path: The output's path.
        uris: Those of all outputs.
    """
    if path.exists() or not path.is_absolute() or not path.parent.is_dir():
        return []
    others = sorted(other for other in path.parent.iterdir() if str(other) not in uris)
    return [other for other in others if other.name.startswith(f"{path.name}.")]


def digested(product: Product) -> Product:
    """Return the product with a digest of each artifact's contents."""
    return replace(
        product,
        digests={
            name: [digest(Path(held["uri"])) for held in listed] for name, listed in product.artifacts.items()
        },
    )


def digest(path: Path) -> str:
    """Return a digest of a file's or a folder's contents; empty if nothing is there."""
    import hashlib

    total = hashlib.blake2b(digest_size=20)
    for file in _files(path):
        total.update(f"\0{file.relative_to(path)}\0{file.stat().st_size}\0".encode())
        with file.open("rb") as stream:
            while block := stream.read(BLOCK):
                total.update(block)
    return total.hexdigest() if path.exists() else ""


def stamp(uri: str) -> Json:
    """Return what tells at a glance whether a file or folder has changed: sizes and times."""
    path = Path(uri)
    if not path.exists():
        return None
    return [
        [str(file.relative_to(path)), file.stat().st_size, file.stat().st_mtime_ns] for file in _files(path)
    ]


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    elif path.is_dir():
        yield from sorted(file for file in path.rglob("*") if file.is_file())


def _content(held: Json) -> Json:
    # An artifact counts by what it holds, not by where this run keeps it.
    return [held.get("type"), held.get("metadata")]


def _hash(parts: Json) -> str:
    import hashlib

    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
