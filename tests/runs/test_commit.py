from __future__ import annotations

import shutil
import subprocess

import pytest

from kfp_jupyter.runs.commit import git_commit

pytestmark = pytest.mark.skipif(
    shutil.which("git") is None, reason="git makes the repositories of these tests"
)


def git(folder, *arguments: str) -> str:
    identity = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True, timeout=300
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "-b", "main")
    git(folder, "commit", "--allow-empty", "-m", "first")
    return folder


def test_the_commit_is_that_of_the_branch(repository):
    inner = repository / "notebooks" / "deep"
    inner.mkdir(parents=True)
    assert git_commit(inner) == git(repository, "rev-parse", "HEAD")


def test_packed_branches_and_a_detached_head_are_read(repository):
    first = git(repository, "rev-parse", "HEAD")
    git(repository, "pack-refs", "--all")
    assert git_commit(repository) == first
    git(repository, "checkout", "--detach")
    assert git_commit(repository) == first


def test_a_worktree_has_its_own_commit(repository, tmp_path):
    git(repository, "worktree", "add", str(tmp_path / "tree"), "-b", "side")
    git(tmp_path / "tree", "commit", "--allow-empty", "-m", "second")
    assert git_commit(tmp_path / "tree") == git(tmp_path / "tree", "rev-parse", "HEAD")
    assert git_commit(tmp_path / "tree") != git_commit(repository)


def test_without_a_repository_or_a_commit_there_is_none(tmp_path):
    assert git_commit(tmp_path) == ""
    git(tmp_path, "init")
    assert git_commit(tmp_path) == ""
    shutil.rmtree(tmp_path / ".git")
    (tmp_path / ".git").write_text("gitdir: nowhere\n")
    assert git_commit(tmp_path) == ""
