"""What arrives is what was sent, and nothing of it is written elsewhere."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import random
import re
import subprocess
import sys
import tarfile
import zlib
from pathlib import Path

import pytest

from kfp_jupyter.engines.argo import sender
from kfp_jupyter.engines.argo.parcel import Parcel, ParcelError
from kfp_jupyter.engines.argo.sender import MARK


def sent(path: Path, start: int = 0, limit: int = 10**9, budget: int = 10**9) -> list[str]:
    """Return the lines that the program prints, as in a pod."""
    program = f"{Path(sender.__file__).read_text()}\nsend({str(path)!r}, {start}, {limit}, {budget})\n"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout.splitlines()


def packed(archive: bytes, **changes: object) -> list[str]:
    """Return the lines that say that this is the artifact's archive."""
    about = {
        "folder": False,
        "size": 1,
        "start": 0,
        "archive": len(archive),
        "sha256": hashlib.sha256(archive).hexdigest(),
    }
    content = base64.b64encode(zlib.compress(archive)).decode()
    lines = [json.dumps(about | changes), content, json.dumps({"end": len(archive)})]
    return [f"{MARK} {number} {line}" for number, line in enumerate(lines)]


def arrived(place: Path, lines: list[str]) -> Parcel:
    parcel = Parcel(place)
    parcel.begin()
    for line in lines:
        parcel.take(line)
    return parcel


def test_lines_are_short_enough_to_stay_whole_in_a_pipe(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(random.Random(1).randbytes(50_000))
    lines = sent(tmp_path / "file")
    assert len(lines) > 15
    assert max(len(line) for line in lines) < 4096
    assert [line.split()[1] for line in lines] == [str(number) for number in range(len(lines))]


def test_parts_join_wherever_they_end_and_lines_of_others_stand_between(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "inner").mkdir(parents=True)
    for number in range(5):
        (folder / "inner" / str(number)).write_bytes(random.Random(number).randbytes(9_000 * number))
    parcel = Parcel(tmp_path / "here" / "folder")
    parts = 0
    while not parcel.complete:
        parts += 1
        parcel.begin()
        for line in sent(folder, parcel.position, budget=20_000):
            parcel.take("time=2026-11-22T07:51:52.818Z level=INFO msg=x argo=true")
            parcel.take(line)
            # The same once more, as after a lost connection.
            parcel.take(line)
    assert parts > 3
    assert parcel.size == 90_000
    place = parcel.deliver()
    for number in range(5):
        assert (place / "inner" / str(number)).read_bytes() == (folder / "inner" / str(number)).read_bytes()
    parcel.close()
    assert [path.name for path in place.parent.iterdir()] == ["folder"]


def test_only_the_size_of_what_is_too_large_is_sent(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 1001)
    (line,) = sent(tmp_path / "file", limit=1000)
    parcel = arrived(tmp_path / "here", [line])
    assert (parcel.refused, parcel.ended, parcel.size) == (True, True, 1001)


def test_another_digest_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 100)
    lines = sent(tmp_path / "file")
    lines[0] = re.sub(r'"sha256": "[^"]*"', f'"sha256": "{"0" * 64}"', lines[0])
    parcel = arrived(tmp_path / "here", lines)
    with pytest.raises(ParcelError, match="SHA-256"):
        parcel.deliver()
    assert not (tmp_path / "here").exists()


def test_an_artifact_that_changes_between_two_parts_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(random.Random(1).randbytes(30_000))
    parcel = arrived(tmp_path / "here", sent(tmp_path / "file", budget=5_000))
    (tmp_path / "file").write_bytes(random.Random(2).randbytes(30_000))
    parcel.begin()
    with pytest.raises(ParcelError, match="was changed while it was read"):
        parcel.take(sent(tmp_path / "file", parcel.position)[0])


def test_a_line_that_is_no_base64_is_refused(tmp_path: Path) -> None:
    lines = packed(b"x" * 10)
    with pytest.raises(ParcelError, match="cannot be read"):
        arrived(tmp_path / "here", [lines[0], f"{MARK} 1 é!"])


@pytest.mark.parametrize("name", ["../outside", "/outside", "artifact/../../outside", "other"])
def test_nothing_is_written_outside(tmp_path: Path, name: str) -> None:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        info = tarfile.TarInfo(name)
        info.size = 1
        archive.addfile(info, io.BytesIO(b"x"))
    parcel = arrived(tmp_path / "a" / "here", packed(target.getvalue()))
    with pytest.raises(ParcelError, match="no file of it"):
        parcel.deliver()
    parcel.close()
    assert [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")] == ["a"]


def test_a_link_is_refused(tmp_path: Path) -> None:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        info = tarfile.TarInfo("artifact")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(info)
    with pytest.raises(ParcelError, match="no file of it"):
        arrived(tmp_path / "here", packed(target.getvalue())).deliver()
