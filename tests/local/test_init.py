"""What `local.init` is given wrongly, it says at the line that gave it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kfp_jupyter import local
from kfp_jupyter.local.errors import InitError
from tests.local.steps import add


@pytest.mark.parametrize(
    ("runner", "what"),
    [
        ("subprocess", r"got 'subprocess', which is no runner. Runners are: `local.SubprocessRunner\(\)`"),
        (None, "got None, which is no runner"),
        (
            local.SubprocessRunner,
            r"got the class SubprocessRunner, not a runner. Call it: `local.init\(local",
        ),
    ],
)
def test_what_is_no_runner_is_refused(place: Path, runner: Any, what: str) -> None:
    with pytest.raises(InitError, match=what) as raised:
        local.init(runner)
    assert "test_init.py, line" in raised.value.where
    with pytest.raises(ValueError, match="runner"):  # KFP's type for the same
        local.init(runner)


@pytest.mark.parametrize(
    ("option", "what"),
    [
        (
            {"pipeline_root": "gs://bucket/root"},
            "`pipeline_root` is 'gs://bucket/root', which is not on this",
        ),
        ({"pipeline_root": ""}, "`pipeline_root` is '', which is no path"),
        ({"pipeline_root": 3}, "`pipeline_root` is 3, which is no path"),
        ({"workspace_root": "file"}, "`workspace_root` is .*file, which is a file"),
        ({"cache_root": "s3://cache"}, "`cache_root` is 's3://cache'"),
    ],
)
def test_what_is_no_folder_of_this_machine_is_refused(place: Path, option: dict[str, Any], what: str) -> None:
    (place / "file").write_text("")
    with pytest.raises(InitError, match=what):
        local.init(local.SubprocessRunner(), **option)


def test_an_init_that_was_refused_changes_nothing(place: Path) -> None:
    with pytest.raises(InitError):
        local.init("no")  # type: ignore[arg-type]  # what is wrong is the point
    assert add(a=1) == 2


def test_folders_are_those_of_the_moment_of_init(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.local.steps import write

    local.init(local.SubprocessRunner(use_venv=False), pipeline_root="here/../there")
    (place / "elsewhere").mkdir()
    monkeypatch.chdir(place / "elsewhere")
    assert Path(write(rows=1).output.path).is_relative_to(place / "there")
