"""A workbench of the test's own, whose runs are real ones on this machine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kfp_jupyter.workbench import Workbench


@pytest.fixture
def bench(tmp_path, monkeypatch) -> Iterator[Workbench]:
    monkeypatch.setenv("KFP_JUPYTER_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    made = Workbench(tmp_path / "data")
    yield made
    made.close()
