"""Pipelines of cells with the real engines: on this machine, and on the test cluster."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kfp_jupyter import serializers
from kfp_jupyter.cells.data_flow import data_flow
from kfp_jupyter.cells.ledger import Ledger
from kfp_jupyter.dsl.cell_pipeline import pipeline_of_cells
from kfp_jupyter.model.pipeline import Pipeline
from kfp_jupyter.notebook.define import define_component
from kfp_jupyter.workbench import Workbench
from tests.cluster import TestCluster

TEXT = """\
%%component load(n: int = 4) -> table, n
import pandas as pd
table = pd.DataFrame({'x': range(n), 'text': ['{{%d}} \\'"' % i for i in range(n)]})
n = n + 1
===
%%component double(table, n) -> table, n
table = table.assign(x=table.x * 2)
n *= 2
display(n)
===
%%component look(table, n: int) -> scores: Metrics, page: HTML, note: Markdown, curve: Metrics
scores = {'sum': int(table.x.sum()), 'n': n}
page = '<b>{{workflow.name}}</b>'
note = f'*{n}*'
for step in range(3):
    curve.log_metric('loss', 1 / (step + 1), step=step)
===
%%component tail(table, n) -> last: Dataset, words: list, label: str, flag: bool
last = table.tail(1)
words = list(table.text)
label = words[0]
flag = n > 3
"""
CELLS = TEXT.split("===\n")


@pytest.fixture(scope="module")
def cells() -> Pipeline:
    names: dict[str, object] = {"__name__": "__main__", "display": print}
    ledger = Ledger()
    for number, text in enumerate(CELLS, start=1):
        line, _, body = text.removeprefix("%%component").partition("\n")
        define_component(line, body, f"Cell In[{number}]", names, ledger=ledger)
    return pipeline_of_cells(data_flow(ledger, names), "cells").model


@pytest.fixture
def bench(tmp_path, monkeypatch) -> Iterator[Workbench]:
    monkeypatch.setenv("KFP_JUPYTER_DATA", str(tmp_path / "data"))
    made = Workbench()
    yield made
    made.close()


def test_values_pass_by_name_also_where_a_step_gives_out_what_it_takes(bench, cells):
    run = bench.run(cells, {"n": 3}).wait(300)
    assert run.state == "SUCCEEDED", run.logs()
    assert run.tasks["load"].outputs["n"] == 4
    assert run.tasks["double"].outputs["n"] == 8
    table = serializers.load(run.tasks["double"].artifacts["table"])
    assert table.to_dict("list") == {"x": [0, 2, 4], "text": [f"{{{{{i}}}}} '\"" for i in range(3)]}
    assert "8\n" in run.logs("double")
    assert run.metrics["look"] == {"sum": 6.0, "n": 8.0, "loss": pytest.approx(1 / 3)}
    assert run.tasks["look"].status.curves["loss"] == ((0, 1.0), (1, 0.5), (2, pytest.approx(1 / 3)))
    page = run.tasks["look"].artifacts["page"]
    assert Path(page.path).read_text() == "<b>{{workflow.name}}</b>"
    outputs = run.tasks["tail"].outputs
    assert (outputs["label"], outputs["flag"], len(outputs["words"])) == ("{{0}} '\"", True, 3)
    assert run.tasks["tail"].artifacts["last"].type == "system.Dataset"


def test_the_same_cells_run_on_a_cluster(bench, cells, monkeypatch):
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with TestCluster() as cluster:
        monkeypatch.setenv("KUBECONFIG", cluster.kubeconfig)
        run = bench.run(cells, {"n": 3}, target=f"argo:{cluster.context}").wait(300)
        assert run.state == "SUCCEEDED", run.logs()
        assert run.tasks["double"].outputs["n"] == 8
        assert run.metrics["look"] == {"sum": 6.0, "n": 8.0, "loss": pytest.approx(1 / 3)}
        outputs = run.tasks["tail"].outputs
        assert (outputs["label"], outputs["words"]) == ("{{0}} '\"", [f"{{{{{i}}}}} '\"" for i in range(3)])
