"""A program that shows another program folders at paths where this machine has something else, or nothing.

    python -I -S mount_namespace.pyc MOUNTS_FILE COMMAND …

It enters a mount namespace of its own, mounts there what the file lists, and becomes the command. Nobody else
sees these mounts, nothing is made on this machine for them, and they are gone with the last process in there.
Who is not root enters a user namespace first, as himself; that he may mount there ends with this program.

A path that is not there needs a place to mount at. Making one would leave traces on the machine, and mostly
needs root; so the nearest folder around it that is there is replaced by an image of itself, a file system in
memory with the same entries and the place in it. It can only be read: a file that a step wrote into it would
be lost without a word.

The file is a JSON list of `{"source": FOLDER, "target": PATH, "size": BYTES}`; a source that is empty is
memory, of that size if it is not 0.
Man pages: mount_namespaces(7), user_namespaces(7), pivot_root(2).
"""
# ruff: noqa: PTH102, PTH103, PTH109, PTH112, PTH115, PTH118, PTH120, PTH123, PTH211 (a bare interpreter has not
# imported pathlib)

from __future__ import annotations

import ctypes
import json
import os
import sys

NEW_NAMESPACE, NEW_USER = 0x00020000, 0x10000000
READ_ONLY, REMOUNT, BIND, RECURSIVE, PRIVATE = 1, 32, 4096, 16384, 1 << 18
DETACH = 2

_library = ctypes.CDLL(None, use_errno=True)


def _call(what: str, name: str, *arguments: object) -> None:
    if getattr(_library, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)


def _mount(source: str, target: str, flags: int, kind: str = "", options: str = "") -> None:
    texts = [text.encode() or None for text in (source, target, kind)]
    _call(target, "mount", *texts, ctypes.c_ulong(flags), options.encode() or None)


def enter() -> None:
    """Enter a mount namespace of this process's own.

    Raises:
        OSError: The system does not allow it.
    """
    user, group = os.getuid(), os.getgid()
    try:
        _call("a mount namespace", "unshare", NEW_NAMESPACE)
    except OSError:
        _call("a user namespace", "unshare", NEW_USER | NEW_NAMESPACE)
        for name, text in (
            ("setgroups", "deny"),
            ("uid_map", f"{user} {user} 1"),
            ("gid_map", f"{group} {group} 1"),
        ):
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)
    # Or what is mounted here would be seen outside as well.
    _mount("", "/", RECURSIVE | PRIVATE)


def show(source: str, target: str, size: int, shown: list[str], stage: str) -> None:
    """Mount a folder at a path.

    Args:
        source: The folder; empty for memory.
        target: The path.
        size: How many bytes of memory; 0 for no limit.
        shown: The paths at which something of ours is mounted already; this one is added.
        stage: A folder of ours, in which an image is made.

    Raises:
        OSError: It cannot be mounted.
    """
    target = os.path.realpath(target)
    if not os.path.isdir(target):
        around = os.path.dirname(target)
        while not os.path.isdir(around):
            around = os.path.dirname(around)
        if any(around == place or around.startswith(f"{place}/") for place in shown):
            os.makedirs(target)
        else:
            _make_place(around, target, stage)
    if source:
        _mount(source, target, BIND | RECURSIVE)
    else:
        _mount("memory", target, 0, "tmpfs", "mode=0777" + (f",size={size}" if size else ""))
    shown.append(target)


def _make_place(around: str, target: str, stage: str) -> None:
    """Replace a folder by an image of itself in which there is one more folder, which is empty."""
    os.makedirs(stage, exist_ok=True)
    _mount("image", stage, 0, "tmpfs", "mode=0755")
    with os.scandir(around) as entries:
        for entry in entries:
            image = os.path.join(stage, entry.name)
            if entry.is_symlink():
                os.symlink(os.readlink(entry.path), image)
                continue
            if entry.is_dir():
                os.mkdir(image)
            else:
                os.close(os.open(image, os.O_CREAT | os.O_WRONLY, 0o600))
            _mount(entry.path, image, BIND | RECURSIVE)
    os.makedirs(os.path.join(stage, os.path.relpath(target, around)))
    _mount("", stage, REMOUNT | BIND | READ_ONLY)
    if around == "/":
        _become_root(stage)
    else:
        _mount(stage, around, BIND | RECURSIVE)


def _become_root(image: str) -> None:
    directory = os.getcwd()
    os.chdir(image)
    try:
        # Stacks the old root on the new one, from where it is taken away; no folder is needed for it.
        _call(image, "pivot_root", b".", b".")
        _call(image, "umount2", b".", DETACH)
    except (OSError, AttributeError):
        # Where the root is the system's first one, or the C library does not have that call.
        os.chroot(".")
    os.chdir(directory)


def main() -> None:
    """Mount what the file says, and become the command."""
    with open(sys.argv[1]) as file:
        mounts = json.load(file)
    target = ""
    try:
        enter()
        shown: list[str] = []
        for index, mount in enumerate(sorted(mounts, key=lambda mount: mount["target"].split("/"))):
            target = mount["target"]
            show(mount["source"], target, mount["size"], shown, f"{sys.argv[1]}.{index}")
    except OSError as error:
        what = f"{target} cannot be mounted: {error.strerror} ({error.filename})."
        told = {"error": {"type": "CannotMount", "message": what, "line": 0, "frames": []}}
        sys.stdout.write(f"::kfp-jupyter:: {json.dumps(told)}\n")
        sys.exit(1)
    # Folders that were looked into may be others now.
    os.chdir(os.getcwd())
    os.execv(sys.argv[2], sys.argv[2:])


if __name__ == "__main__":
    main()
