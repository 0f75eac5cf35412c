"""Importers: an artifact that lies elsewhere becomes the output of a task.

Files of this machine stay where they are. What lies on the web or in an object store is downloaded, once for
all runs unless it is to be imported again. Of a model in an image (`oci://`) only the URI is known.
Reference: https://kubeflow-pipelines.readthedocs.io/en/stable/source/dsl.html#kfp.dsl.importer
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from kfp_jupyter.engines.local.exchange import Given, Product
from kfp_jupyter.engines.local.folder import folder_name
from kfp_jupyter.engines.local.given import input_names, place_digest
from kfp_jupyter.engines.local.placeholder import PlaceholderError, replaced
from kfp_jupyter.model.component import Importer
from kfp_jupyter.model.types import Json
from kfp_jupyter.model.value import Constant

WEB = ("http", "https")
HERE = ("", "file")
IMAGE = "oci"
"""The scheme of an image that holds a model, as KFP's servers mount it."""

_BLOCK = 1 << 20
_SECONDS = 30.0
"""How long a server may say nothing."""
_LOOK_SECONDS = 0.1
"""How often is looked whether to give up."""


class ImportFailedError(Exception):
    """An artifact cannot be imported; the message says why."""


def import_artifact(
    step: Importer, given: Given, directory: str, downloads: Path, shared: Path, stop: Callable[[], bool]
) -> Product:
    """Return the product of an importer.

    Args:
        step: The importer.
        given: What it gets.
        directory: Where relative paths begin.
        downloads: The folder of all that was downloaded.
        shared: The task's folder in the run's workspace.
        stop: Says whether to give up.

    Raises:
        ImportFailedError: There is nothing, or it cannot be downloaded.
    """
    names = input_names(given.parameters, given.others, given.artifacts)
    uri = step.uri.value if isinstance(step.uri, Constant) else given.parameters.get(step.uri.name)
    try:
        uri, metadata = str(replaced(uri, names)), replaced(step.metadata, names)
    except PlaceholderError as error:
        raise ImportFailedError(f"{error}.") from None
    place = _place(uri, directory)
    if place is not None and not place.exists():
        raise ImportFailedError(f"There is no file or folder {place}.")
    scheme = urlsplit(uri).scheme
    if scheme not in (*HERE, IMAGE):
        get = _from_the_web if scheme in WEB else _from_a_store
        place = _downloaded(uri, downloads, step.reimport, get, stop)
    if step.download_to_workspace and place is not None:
        place = _copied(place, shared)
    artifact: dict[str, Json] = {
        "name": "artifact",
        "type": {"schemaTitle": step.type.schema_title, "schemaVersion": step.type.schema_version},
        "uri": uri,
        "metadata": metadata,
    }
    if place is not None and _place(uri, directory) != place:
        artifact["customPath"] = str(place)
    elif place is not None:
        artifact["uri"] = str(place)
    return Product({}, {"artifact": [artifact]}, {"artifact": [place_digest(str(place or uri))]})


def _place(uri: str, directory: str) -> Path | None:
    """Return the path on this machine that a URI names; None if it names none."""
    parts = urlsplit(uri)
    if parts.scheme == "file":
        return Path(unquote(parts.path))
    return Path(directory, uri) if not parts.scheme else None


Get = Callable[[str, Path, Callable[[], bool]], None]
"""Copies what a URI names to a place that is not there yet; it is given what says whether to stop."""


def _downloaded(uri: str, folder: Path, again: bool, get: Get, stop: Callable[[], bool]) -> Path:
    name = folder_name(unquote(urlsplit(uri).path).rstrip("/").rpartition("/")[2] or "artifact")
    target = folder / hashlib.sha256(uri.encode()).hexdigest()[:20] / name
    if target.exists() and not again:
        # Says when it was used last; see `upkeep`.
        with contextlib.suppress(OSError):
            os.utime(target.parent)
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    part, old = (target.with_name(f".{kind}-{os.getpid()}-{id(stop)}") for kind in ("new", "old"))
    try:
        get(uri, part, stop)
        if target.is_dir():
            target.rename(old)
        part.replace(target)
    except (OSError, ValueError) as error:
        raise ImportFailedError(f"{uri} could not be downloaded: {error}.") from None
    finally:
        for left in (part, old):
            _remove(left)
    return target


def _from_the_web(uri: str, target: Path, stop: Callable[[], bool]) -> None:
    import urllib.request

    with urllib.request.urlopen(uri, timeout=_SECONDS) as source, target.open("wb") as file:
        while block := source.read(_BLOCK):
            if stop():
                raise ImportFailedError("It was stopped.")
            file.write(block)


def _from_a_store(uri: str, target: Path, stop: Callable[[], bool]) -> None:
    command = [sys.executable, "-m", "kfp_jupyter.engines.local.object_store", uri, str(target)]
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as said:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        try:
            while process.poll() is None:
                if stop():
                    raise ImportFailedError("It was stopped.")
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(_LOOK_SECONDS)
        finally:
            process.kill()
            process.wait()
        if process.returncode:
            said.seek(0)
            lines = said.read().split("\n")
            raise ImportFailedError(
                next((line for line in reversed(lines) if line.strip()), "It was killed.")
            )


def _remove(place: Path) -> None:
    if place.is_dir():
        shutil.rmtree(place, ignore_errors=True)
    else:
        place.unlink(missing_ok=True)


def _copied(place: Path, folder: Path) -> Path:
    target = folder / place.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if place.is_dir():
        shutil.copytree(place, target)
    else:
        shutil.copy2(place, target)
    return target
