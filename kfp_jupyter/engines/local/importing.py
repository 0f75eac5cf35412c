"""Importers: an artifact that lies elsewhere becomes the output of a task.

Files of this machine stay where they are. What lies on the web is downloaded, once for all runs unless it is
to be imported again. Of other stores only the URI is known; a step finds it where its bucket is mounted.
Reference: https://kubeflow-pipelines.readthedocs.io/en/stable/source/dsl.html#kfp.dsl.importer
"""

from __future__ import annotations

import hashlib
import os
import shutil
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

_BLOCK = 1 << 20
_SECONDS = 30.0
"""How long a server may say nothing."""


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
    if urlsplit(uri).scheme in WEB:
        place = _downloaded(uri, downloads, step.reimport, stop)
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


def _downloaded(uri: str, folder: Path, again: bool, stop: Callable[[], bool]) -> Path:
    import urllib.error
    import urllib.request

    name = folder_name(unquote(urlsplit(uri).path).rpartition("/")[2] or "artifact")
    target = folder / hashlib.sha256(uri.encode()).hexdigest()[:20] / name
    if target.exists() and not again:
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{os.getpid()}-{id(stop)}")
    try:
        with urllib.request.urlopen(uri, timeout=_SECONDS) as source, part.open("wb") as file:
            while block := source.read(_BLOCK):
                if stop():
                    raise ImportFailedError("It was stopped.")
                file.write(block)
        part.replace(target)
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise ImportFailedError(f"{uri} could not be downloaded: {error}.") from None
    finally:
        part.unlink(missing_ok=True)
    return target


def _copied(place: Path, folder: Path) -> Path:
    target = folder / place.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if place.is_dir():
        shutil.copytree(place, target)
    else:
        shutil.copy2(place, target)
    return target
