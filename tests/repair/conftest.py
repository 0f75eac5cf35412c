"""A workbench of the test's own, whose runs are real ones on this machine, and one beside a test cluster."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kfp_jupyter.workbench import Workbench
from tests.cluster import TestCluster


@pytest.fixture
def bench(tmp_path, monkeypatch) -> Iterator[Workbench]:
    monkeypatch.setenv("KFP_JUPYTER_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    made = Workbench(tmp_path / "data")
    yield made
    made.close()


@pytest.fixture
def cluster(monkeypatch) -> Iterator[TestCluster]:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with TestCluster() as started:
        yield started


@pytest.fixture
def bench_on_cluster(cluster, tmp_path, monkeypatch) -> Iterator[Workbench]:
    monkeypatch.setenv("KFP_JUPYTER_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("KUBECONFIG", cluster.kubeconfig)
    made = Workbench(tmp_path / "data")
    yield made
    made.close()
