"""Every pipeline of `tests/dsl/authored` that needs no containers runs on this machine, all of it.

What they compile to is compared with KFP there; here their steps run. Those whose functions only have an
interface get the bodies of `authored/bodies.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kfp_jupyter.model.check import bind_arguments
from kfp_jupyter.model.component import ContainerStep
from kfp_jupyter.model.pipeline import Pipeline
from kfp_jupyter.model.run import RunState, State
from tests.engines.local.authored.loading import AUTHORED, arguments, authored, prepare

CONTAINERS = ("run-containers", "pass-artifacts")


@pytest.fixture(scope="module")
def pipelines() -> Iterator[dict[str, list[Pipeline]]]:
    with authored() as made:
        yield made


@pytest.mark.parametrize("file", sorted(file.stem for file in AUTHORED.glob("*.py")))
def test_an_authored_pipeline_runs(
    file: str,
    pipelines: dict[str, list[Pipeline]],
    bench: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    prepare(tmp_path, monkeypatch)
    started = {}
    for pipeline in pipelines[file]:
        if any(isinstance(c.implementation, ContainerStep) for c in pipeline.components.values()):
            claims = file == "kubernetes_settings"
            assert claims or pipeline.name in CONTAINERS
            if not claims:
                continue
        given = bind_arguments(pipeline, arguments(pipeline))
        started[pipeline.name] = bench.start(pipeline, jobs=2, **given)
    assert started
    failed: dict[str, RunState] = {}
    for name, run in started.items():
        state = run.wait(300)
        ended = {task.state for task in state.tasks.values()}
        if state.state is not State.SUCCEEDED or not ended <= {State.SUCCEEDED, State.SKIPPED}:
            failed[name] = state
    assert not failed
