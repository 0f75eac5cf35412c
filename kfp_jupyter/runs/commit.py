"""The git commit that a folder's work is based on, read from the files of its repository.

Reading two small files takes microseconds, where starting `git` takes milliseconds and may not be possible at
all. Layout: https://git-scm.com/docs/gitrepository-layout
"""

from __future__ import annotations

import re
from pathlib import Path

_HASH = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")


def git_commit(folder: Path) -> str:
    """Return the hash of the commit checked out in the repository around `folder`, or an empty string."""
    try:
        for place in (folder, *folder.parents):
            dot_git = place / ".git"
            if dot_git.exists():
                return _head(_git_dir(dot_git))
    except (OSError, UnicodeDecodeError):
        pass
    return ""


def _git_dir(dot_git: Path) -> Path:
    if dot_git.is_dir():
        return dot_git
    # A worktree or a submodule: a file that says where.
    return dot_git.parent / dot_git.read_text(encoding="utf-8").removeprefix("gitdir:").strip()


def _head(git_dir: Path) -> str:
    head = (git_dir / "HEAD").read_text(encoding="utf-8").strip()
    if not head.startswith("ref:"):
        return head if _HASH.fullmatch(head) else ""
    name = head.removeprefix("ref:").strip()
    common = git_dir / "commondir"
    shared = git_dir / common.read_text(encoding="utf-8").strip() if common.exists() else git_dir
    for place in (git_dir, shared):
        if (place / name).is_file():
            return (place / name).read_text(encoding="utf-8").strip()
    packed = shared / "packed-refs"
    for line in packed.read_text(encoding="utf-8").splitlines() if packed.exists() else ():
        commit, _, ref = line.partition(" ")
        if ref == name and _HASH.fullmatch(commit):
            return commit
    return ""
