"""A file or folder that is put into a component's source, and unpacked when its step begins.

The archive is the same for the same files, whenever it is made, so that a compiled pipeline is too. Links
that lead out of the folder are refused: a component should hold what was pointed at, and nothing else of the
machine. The names of where it is unpacked are those that KFP's executor asks for.
"""

from __future__ import annotations

import base64
import gzip
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

from kfp_jupyter.cells.errors import ComponentError
from kfp_jupyter.cells.origin import caller, place_line
from kfp_jupyter.model.component import Fragment

FILE = "kfp_jupyter (embedded)"
"""The `file` of the fragment that unpacks."""

MAX_BYTES = 1_000_000
"""The most that an archive may have, compressed; servers keep a pipeline in one record."""

_UNPACK = """\
import base64 as _base64, io as _io, sys as _sys, tarfile as _tarfile, tempfile as _tempfile
_embedded_folder = _tempfile.TemporaryDirectory()
__KFP_EMBEDDED_ASSET_DIR = _embedded_folder.name
with _tarfile.open(fileobj=_io.BytesIO(_base64.b64decode({archive!r})), mode="r:gz") as _tar:
    _tar.extractall(__KFP_EMBEDDED_ASSET_DIR)
_sys.path.insert(0, __KFP_EMBEDDED_ASSET_DIR)
"""
_FILE_PATH = '__KFP_EMBEDDED_ASSET_FILE = __KFP_EMBEDDED_ASSET_DIR + "/" + {name!r}\n'


def unpacking(path: str | Path, main_file: str = "") -> Fragment:
    """Return the source that unpacks a file or folder.

    Args:
        path: The file or folder.
        main_file: The file inside a folder that the step works with.

    Raises:
        ComponentError: There is none, it is too large, or a link leads out of it.
    """
    root = Path(path)
    if not root.exists():
        raise _wrong(f"There is no file or folder {str(root)!r}", "Check the path.")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for file, name in _files(root):
            _add(tar, file, name)
    archive = gzip.compress(buffer.getvalue(), mtime=0)
    if len(archive) > MAX_BYTES:
        raise _wrong(
            f"{str(root)!r} has {len(archive) / 1_000_000:.1f} MB compressed; at most "
            f"{MAX_BYTES / 1_000_000:.0f} MB can stand in a component",
            "Put it into the image, or into an artifact that the pipeline imports.",
        )
    text = _UNPACK.format(archive=base64.b64encode(archive).decode())
    name = root.name if root.is_file() else main_file
    return Fragment(text + (_FILE_PATH.format(name=name) if name else ""), FILE)


def _files(root: Path) -> Iterator[tuple[Path, str]]:
    if root.is_file():
        yield root, root.name
        return
    whole = root.resolve()
    for file in sorted(root.rglob("*")):
        if file.is_dir():
            if file.is_symlink():
                raise _wrong(f"{str(file)!r} is a link to a folder", "Put the folder itself there.")
            continue
        if not file.exists() or not file.resolve().is_relative_to(whole):
            raise _wrong(
                f"{str(file)!r} is a link that leads out of {str(root)!r}", "Put the file itself there."
            )
        yield file, file.relative_to(root).as_posix()


def _add(tar: tarfile.TarFile, file: Path, name: str) -> None:
    data = file.read_bytes()
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    entry.mode = 0o755 if file.stat().st_mode & 0o100 else 0o644
    tar.addfile(entry, io.BytesIO(data))


def _wrong(what: str, remedy: str) -> ComponentError:
    return ComponentError(f"{what}.", where=place_line(*caller()), remedy=remedy)
