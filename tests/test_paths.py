from __future__ import annotations

import sys
from pathlib import Path

import pytest

from kfp_jupyter.paths import data_dir


def test_the_users_choice_comes_first(monkeypatch, tmp_path):
    monkeypatch.setenv("KFP_JUPYTER_DATA", str(tmp_path / "here"))
    assert data_dir() == tmp_path / "here"


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="the XDG folders are those of Linux")
def test_the_folder_for_users_data_is_the_default(monkeypatch, tmp_path):
    monkeypatch.delenv("KFP_JUPYTER_DATA", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert data_dir() == tmp_path / "kfp-jupyter"
    monkeypatch.delenv("XDG_DATA_HOME")
    assert data_dir() == Path.home() / ".local" / "share" / "kfp-jupyter"
