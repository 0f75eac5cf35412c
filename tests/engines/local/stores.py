"""Stand-ins for the libraries that read object stores: what `object_store` asks of them, over a folder.

Each is a module's text, written to a folder that is put on `PYTHONPATH`. `$STORE` holds a folder a bucket.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

FSSPEC = """
import os, shutil, time
from pathlib import Path

class Files:
    def __init__(self, scheme):
        self.scheme = scheme

    def place(self, path):
        with open(os.environ["STORE"] + "/asked", "a") as file:
            file.write(f"{self.scheme} {path}\\n")
        if path.startswith("locked"):
            raise PermissionError("Access Denied")
        while path.startswith("slow"):
            time.sleep(0.01)
        return Path(os.environ["STORE"], path)

    def info(self, path):
        place = self.place(path)
        if not place.exists():
            raise FileNotFoundError(path)
        return {"type": "directory" if place.is_dir() else "file"}

    def get(self, path, target, recursive):
        assert recursive
        shutil.copytree(self.place(path), target)

    def get_file(self, path, target):
        shutil.copy(self.place(path), target)
"""

FSSPEC_CORE = """
from fsspec import Files

def url_to_fs(uri):
    scheme, _, path = uri.partition("://")
    return Files(scheme), path.rstrip("/")
"""

BOTO = """
import os, shutil
from pathlib import Path

class Client:
    def get_paginator(self, name):
        assert name == "list_objects_v2"
        return self

    def paginate(self, Bucket, Prefix):
        top = Path(os.environ["STORE"], Bucket)
        keys = sorted(str(path.relative_to(top)) for path in top.rglob("*") if path.is_file())
        found = [{"Key": key} for key in keys if key.startswith(Prefix)]
        yield {"Contents": found[:1]} if found else {}
        yield {"Contents": found[1:]}

    def download_file(self, bucket, key, place):
        shutil.copy(Path(os.environ["STORE"], bucket, key), place)

def client(name):
    assert name == "s3"
    return Client()
"""

GOOGLE = """
import os, shutil
from pathlib import Path

class Blob:
    def __init__(self, bucket, name):
        self.bucket, self.name = bucket, name

    def download_to_filename(self, place):
        shutil.copy(Path(os.environ["STORE"], self.bucket, self.name), place)

class Bucket:
    def __init__(self, name):
        self.name = name

    def blob(self, key):
        return Blob(self.name, key)

class Client:
    def list_blobs(self, bucket, prefix):
        top = Path(os.environ["STORE"], bucket)
        keys = sorted(str(path.relative_to(top)) for path in top.rglob("*") if path.is_file())
        return [Blob(bucket, key) for key in keys if key.startswith(prefix)]

    def bucket(self, name):
        return Bucket(name)
"""

LIBRARIES = {
    "s3fs": {"fsspec/__init__.py": FSSPEC, "fsspec/core.py": FSSPEC_CORE, "s3fs.py": ""},
    "gcsfs": {"fsspec/__init__.py": FSSPEC, "fsspec/core.py": FSSPEC_CORE, "gcsfs.py": ""},
    "boto3": {"boto3.py": BOTO},
    "google-cloud-storage": {
        "google/__init__.py": "",
        "google/cloud/__init__.py": "",
        "google/cloud/storage.py": GOOGLE,
    },
}


def install(library: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a library's stand-in one that this Python, and those that it starts, can import."""
    for name, text in LIBRARIES[library].items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    monkeypatch.setenv("PYTHONPATH", f"{folder}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    monkeypatch.syspath_prepend(str(folder))
