"""Every pipeline of `tests/dsl/authored` that needs no containers runs on this machine, all of it.

What they compile to is compared with KFP there; here their steps run. Those whose functions only have an
interface get the bodies of `authored/bodies.py`.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kfp_jupyter import compat
from kfp_jupyter.model.check import bind_arguments
from kfp_jupyter.model.component import ContainerStep, PythonStep
from kfp_jupyter.model.pipeline import Pipeline
from kfp_jupyter.model.run import RunState, State
from tests.engines.local import stores
from tests.engines.local.authored.bodies import BODIES

AUTHORED = Path(__file__).parents[2] / "dsl" / "authored"
CONTAINERS = ("run-containers", "pass-artifacts")
ARGUMENTS = {"names": ["a", "b"], "table": [{"first": "x", "second": "y", "a": "1", "b": "2"}], "text": "t"}


@pytest.fixture(scope="module")
def pipelines() -> Iterator[dict[str, list[Pipeline]]]:
    """The pipelines by file, made with `kfp` meaning this package."""
    compat.install()
    made = {}
    for file in sorted(AUTHORED.glob("*.py")):
        spec = importlib.util.spec_from_file_location(f"run_{file.stem}", file)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
        models = [getattr(held, "model", None) for held in module.PIPELINES]
        made[file.stem] = [_runnable(model) for model in models if isinstance(model, Pipeline)]
    yield made
    compat.uninstall()


def _runnable(pipeline: Pipeline) -> Pipeline:
    components = {
        key: replace(component, implementation=BODIES[component.name].model.implementation)
        if component.name in BODIES and isinstance(component.implementation, PythonStep)
        else component
        for key, component in pipeline.components.items()
    }
    return replace(pipeline, components=components)


@pytest.mark.parametrize("file", sorted(file.stem for file in AUTHORED.glob("*.py")))
def test_an_authored_pipeline_runs(
    file: str,
    pipelines: dict[str, list[Pipeline]],
    bench: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        Path(name).write_text(name)
    for folder in ("secrets", "config-maps"):
        (tmp_path / "data" / folder).mkdir(parents=True)
        for name in ("a", "b", "s", "written", "one", "two"):
            held = json.dumps({"a": "1", "password": "p", "user": "u"})
            (tmp_path / "data" / folder / f"{name}.json").write_text(held)
    for name in ("written", "mine", "one", "a"):
        (tmp_path / "data" / "volumes" / name).mkdir(parents=True)
    # Where importers find what they bring.
    for name in ("x", "y"):
        (tmp_path / "store" / "b").mkdir(parents=True, exist_ok=True)
        (tmp_path / "store" / "b" / name).write_text(name)
    monkeypatch.setenv("STORE", str(tmp_path / "store"))
    stores.install("s3fs", tmp_path / "libraries", monkeypatch)
    started = {}
    for pipeline in pipelines[file]:
        if any(isinstance(c.implementation, ContainerStep) for c in pipeline.components.values()):
            claims = file == "kubernetes_settings"
            assert claims or pipeline.name in CONTAINERS
            if not claims:
                continue
        given = {
            spec.name: ARGUMENTS[spec.name]
            for spec in pipeline.inputs
            if spec.name in ARGUMENTS and not spec.optional
        }
        started[pipeline.name] = bench.start(pipeline, jobs=2, **bind_arguments(pipeline, given))
    assert started
    failed: dict[str, RunState] = {}
    for name, run in started.items():
        state = run.wait(120)
        ended = {task.state for task in state.tasks.values()}
        if state.state is not State.SUCCEEDED or not ended <= {State.SUCCEEDED, State.SKIPPED}:
            failed[name] = state
    assert not failed
