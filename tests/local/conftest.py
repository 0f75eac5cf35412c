"""A machine's data of its own, and `local.init` taken back at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kfp_jupyter import local, workbench


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder to work in, with data of its own."""
    monkeypatch.setenv("KFP_JUPYTER_DATA", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    workbench.close_current()
    yield tmp_path
    local.reset()
    workbench.close_current()


@pytest.fixture
def init(place: Path) -> Callable[..., None]:
    """`local.init` with steps in this Python's environment."""

    def call(**options: Any) -> None:
        local.init(local.SubprocessRunner(use_venv=False), **options)

    return call
