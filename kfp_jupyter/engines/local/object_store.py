"""What lies in an object store (`s3://`, `gs://`, …), brought to this machine by what the user's Python has.

    python -m kfp_jupyter.engines.local.object_store URI TARGET

This package has no client of any store, and asks for no credentials: a library that is installed anyway
finds those that the user has set up for it. First choice is fsspec with what it needs for the scheme (s3fs,
gcsfs, or others for other stores), then the own library of a store (boto3, google-cloud-storage). It is a
program of its own because such libraries take a second and a hundred megabytes, and because it can be ended.

A URI names an object, or all objects below it as a folder, as KFP's servers read it.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
"""The variables by which AWS's libraries are told of a server; `minio://` does not say where it is."""

_FILE_SYSTEMS = {"s3": "s3fs", "minio": "s3fs", "gs": "gcsfs", "gcs": "gcsfs"}
_CLIENTS = {"s3": "boto3", "minio": "boto3", "gs": "google.cloud.storage", "gcs": "google.cloud.storage"}
_PACKAGES = {"google.cloud.storage": "google-cloud-storage"}


class StoreError(Exception):
    """Nothing can be brought from a store; the message says why and what would help."""


def check_scheme(scheme: str) -> None:
    """Find out whether something in this Python can read a store.

    Args:
        scheme: How its URIs begin, without the colon.

    Raises:
        StoreError: Nothing can.
    """
    if scheme == "minio" and not any(os.environ.get(name) for name in ENDPOINTS):
        raise StoreError(
            f"`minio://` does not say which server it is. Set {ENDPOINTS[1]} to its address where Jupyter is "
            "started (`http://host:9000`)."
        )
    if not _has_file_system(scheme) and not _has_client(scheme):
        system, client = _FILE_SYSTEMS.get(scheme), _CLIENTS.get(scheme, "")
        names = (
            f"{system}, or {_PACKAGES.get(client, client)},"
            if system
            else f"fsspec and what it needs for {scheme}://"
        )
        raise StoreError(
            f"Nothing in this kernel's Python reads {scheme}://. Install {names} into its environment; "
            "credentials are taken from where that finds them."
        )


def _has_file_system(scheme: str) -> bool:
    if not _is_installed("fsspec"):
        return False
    needed = _FILE_SYSTEMS.get(scheme)
    if needed is not None:
        return _is_installed(needed)
    import fsspec

    try:
        fsspec.get_filesystem_class(scheme)
    except (ImportError, ValueError):
        return False
    return True


def _has_client(scheme: str) -> bool:
    return _is_installed(_CLIENTS.get(scheme, ""))


def _is_installed(module: str) -> bool:
    try:
        return bool(module) and importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        # Of `google.cloud.storage`, a package around it.
        return False


def bring(uri: str, target: Path) -> None:
    """Copy an object, or the objects below a name, to a file or folder that is not there yet.

    Raises:
        StoreError: Nothing can read the store, or there is nothing at that name.
        Exception: Whatever the library raises.
    """
    scheme = urlsplit(uri).scheme
    check_scheme(scheme)
    how = (
        _by_file_system if _has_file_system(scheme) else _by_boto if scheme in ("s3", "minio") else _by_google
    )
    how(uri, target)


def _by_file_system(uri: str, target: Path) -> None:
    from fsspec.core import url_to_fs

    scheme, _, rest = uri.partition("://")
    system, path = url_to_fs(f"s3://{rest}" if scheme == "minio" else uri)
    try:
        kind = system.info(path)["type"]
    except FileNotFoundError:
        raise StoreError(f"There is nothing at {uri}.") from None
    if kind == "directory":
        system.get(path, str(target), recursive=True)
    else:
        system.get_file(path, str(target))


def _by_boto(uri: str, target: Path) -> None:
    import boto3

    bucket, name = _parts(uri)
    client = boto3.client("s3")
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=name)
    names = (held["Key"] for page in pages for held in page.get("Contents", ()))
    _copy(uri, names, target, lambda key, place: client.download_file(bucket, key, place))


def _by_google(uri: str, target: Path) -> None:
    from google.cloud import storage

    bucket, name = _parts(uri)
    client: Any = storage.Client()
    names = (held.name for held in client.list_blobs(bucket, prefix=name))
    held = client.bucket(bucket)
    _copy(uri, names, target, lambda key, place: held.blob(key).download_to_filename(place))


def _parts(uri: str) -> tuple[str, str]:
    parts = urlsplit(uri)
    return parts.netloc, parts.path.strip("/")


def _copy(uri: str, names: Iterable[str], target: Path, copy: Callable[[str, str], None]) -> None:
    """Copy the object that is named so, or else those below it."""
    name = _parts(uri)[1]
    found = False
    for key, place in _places(names, name, target):
        place.parent.mkdir(parents=True, exist_ok=True)
        copy(key, str(place))
        found = True
        if key == name:
            return
    if not found:
        raise StoreError(f"There is nothing at {uri}.")


def _places(names: Iterable[str], name: str, target: Path) -> Iterator[tuple[str, Path]]:
    # A store lists names in order, so that the object itself comes before what lies below it.
    for key in names:
        if key == name:
            yield key, target
        elif key.startswith(f"{name}/" if name else "") and not key.endswith("/"):
            yield key, target / key[len(name) :].lstrip("/")


def main() -> None:
    """Bring what the command line names; what went wrong is the last line that is printed."""
    uri, target = sys.argv[1:]
    try:
        bring(uri, Path(target))
    except StoreError as error:
        sys.exit(str(error))
    except Exception as error:  # noqa: BLE001 (each library has its own)
        said = " ".join(str(error).split()) or "it does not say why"
        sys.exit(f"{uri} could not be brought: {type(error).__name__}: {said}")


if __name__ == "__main__":
    main()
