"""What a run on this machine may have otherwise: its places, and steps with nothing but their packages."""

from __future__ import annotations

from pathlib import Path

import pytest

from kfp_jupyter import dsl
from kfp_jupyter.engines.base import EngineError, LocalOptions, RunOptions
from kfp_jupyter.engines.local import environment
from kfp_jupyter.model.pipeline import TaskSettings
from kfp_jupyter.model.run import State, Target
from tests.engines.local.bench import component, pipeline, single, task

WRITE = """
def step(data: Output[Dataset]):
    open(data.path, "w").write("written")
"""


def test_artifacts_and_the_pipeline_root_are_where_the_options_say(bench, tmp_path):
    body = """
    def step(data: Output[Dataset], root: str = "") -> str:
        open(data.path, "w").write("written")
        return root
    """
    made = component(body, inputs={"root": "str"}, outputs={"data": "Dataset", "Output": "str"})
    flow = pipeline({"step": made}, task("step", root=dsl.PIPELINE_ROOT_PLACEHOLDER))
    run = bench.run(flow, local=LocalOptions(artifacts=str(tmp_path / "root")))
    held = run.state.tasks["step"]
    (artifact,) = held.artifacts["data"]
    assert artifact.path == str(tmp_path / "root" / "run-1" / "step" / "data")
    assert Path(artifact.path).read_text() == "written"
    assert held.outputs["Output"] == str(tmp_path / "root" / "run-1")
    assert not (run.folder / "artifacts").exists()


def test_a_shared_workspace_is_used_and_left(bench, tmp_path):
    @dsl.component
    def look(folder: str, data: dsl.Input[dsl.Dataset]) -> str:
        import os

        return f"{sorted(os.listdir(folder))} {data.path}"  # noqa: PTH208 - names are what is asked

    @dsl.pipeline(pipeline_config=dsl.PipelineConfig(workspace=dsl.WorkspaceConfig(size="1Gi")))
    def shared(place: str):
        imported = dsl.importer(place, dsl.Dataset, download_to_workspace=True)
        look(folder=dsl.WORKSPACE_PATH_PLACEHOLDER, data=imported.output)

    place = tmp_path / "data.csv"
    place.write_text("a,b")
    space = tmp_path / "space" / "inner"
    options = LocalOptions(workspace=str(space))
    space.mkdir(parents=True)
    (space / "given.txt").write_text("x")
    for number in (1, 2):
        run = bench.run(shared.model, local=options, place=str(place))
        told = run.state.tasks["look"].outputs["Output"]
        # Two runs that share a workspace do not write over what the other has imported.
        assert told == f"['.artifacts', 'given.txt'] {space}/.artifacts/run-{number}/importer/data.csv"
    assert (space / "given.txt").exists()
    assert (space / ".artifacts/run-1/importer/data.csv").read_text() == "a,b"


def test_a_cache_of_ones_own_knows_nothing_of_the_users(bench, tmp_path):
    flow = single("def step() -> int:\n    return 1\n", TaskSettings(), outputs={"Output": "int"})
    bench.run(flow)
    own = LocalOptions(cache=str(tmp_path / "own"))
    first, second = bench.run(flow, local=own), bench.run(flow, local=own)
    assert not first.state.tasks["step"].cached
    assert second.state.tasks["step"].cached_from == "run-2"
    assert list((tmp_path / "own").glob("*.json"))


def test_an_isolated_step_has_no_package_that_it_does_not_ask_for(bench):
    body = """
    def step() -> str:
        import sys
        import pytest
        return sys.prefix
    """
    flow = single(body, outputs={"Output": "str"})
    assert bench.run(flow).state.state is State.SUCCEEDED
    failed = bench.run(flow, local=LocalOptions(isolated=True)).state.tasks["step"]
    assert failed.error is not None
    assert failed.error.type == "ModuleNotFoundError"
    assert "pytest" in failed.error.message


def test_isolated_steps_share_one_environment_a_set_of_packages(bench, tmp_path):
    bare = component(WRITE, outputs={"data": "Dataset"})
    flow = pipeline({"step": bare}, task("one", "step"), task("two", "step"))
    assert bench.run(flow, local=LocalOptions(isolated=True)).state.state is State.SUCCEEDED
    assert len(list((tmp_path / "data" / "environments").glob("*/ready"))) == 1


def test_isolated_steps_without_packages_need_no_installer(bench, monkeypatch):
    monkeypatch.setattr("shutil.which", lambda _: None)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert environment.installer("python") == []
    options = RunOptions("needs-none", Target(), local=LocalOptions(isolated=True))
    engine = bench.engine
    ref = engine.submit(single("def step() -> None:\n    pass\n"), {}, options)
    engine.cancel(ref)
    wants = single("def step() -> None:\n    pass\n", packages=("pytest",))
    with pytest.raises(EngineError, match="It needs pytest, which is not installed"):
        engine.submit(wants, {}, RunOptions("needs-one", Target(), local=LocalOptions(isolated=True)))
