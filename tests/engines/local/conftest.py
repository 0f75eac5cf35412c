from __future__ import annotations

import contextlib

import pytest

from tests.engines.local.bench import Bench


@pytest.fixture
def bench(tmp_path, monkeypatch):
    monkeypatch.setenv("KFP_JUPYTER_DATA", str(tmp_path / "data"))
    bench = Bench()
    yield bench
    # A test that failed half-way must not leave its run behind.
    for folder in (tmp_path / "data" / "runs").glob("*"):
        with contextlib.suppress(Exception):
            bench.engine.cancel(bench.ref(folder))
