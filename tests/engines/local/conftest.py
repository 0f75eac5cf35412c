from __future__ import annotations

import contextlib
import json
import os
import signal

import pytest

from tests.engines.local.bench import Bench
from tests.engines.local.container_bench import Machine


@pytest.fixture
def bench(tmp_path, monkeypatch):
    monkeypatch.setenv("KFP_JUPYTER_DATA", str(tmp_path / "data"))
    bench = Bench()
    yield bench
    # A test that failed half-way must not leave its run behind.
    for folder in (tmp_path / "data" / "runs").glob("*"):
        with contextlib.suppress(Exception):
            bench.engine.cancel(bench.ref(folder))


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine on which docker may be installed."""
    monkeypatch.setenv("KFP_JUPYTER_DATA", str(tmp_path / "data"))
    machine = Machine(tmp_path / "machine", monkeypatch)
    yield machine
    for folder in (tmp_path / "data" / "runs").glob("*"):
        with contextlib.suppress(Exception):
            machine.engine.cancel(machine.ref(folder))
    for place in (tmp_path / "machine" / "containers").glob("*.json"):
        with contextlib.suppress(Exception):
            os.killpg(json.loads(place.read_text())["State"]["Pid"], signal.SIGKILL)
