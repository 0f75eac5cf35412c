"""`Compiler().compile`, as in KFP."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kfp_jupyter import dsl
from kfp_jupyter.compiler import Compiler, CompilerError, KubernetesManifestOptions
from kfp_jupyter.interchange.write import pipeline_spec
from kfp_jupyter.model.check import ArgumentError


@dsl.component
def step(n: int) -> int:
    return n


@dsl.pipeline
def small(n: int) -> int:
    return step(n).output  # type: ignore[no-any-return]


def test_json_holds_the_same_document(tmp_path: Path) -> None:
    Compiler().compile(small, tmp_path / "p.json")
    assert json.loads((tmp_path / "p.json").read_text()) == pipeline_spec(small.model)


def test_new_defaults_are_checked(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="'n' got 'x' of type str"):
        Compiler().compile(small, tmp_path / "p.yaml", pipeline_parameters={"n": "x"})
    with pytest.raises(ArgumentError, match="no parameter 'm'"):
        Compiler().compile(small, tmp_path / "p.yaml", pipeline_parameters={"m": 1})
    assert not (tmp_path / "p.yaml").exists()


def test_what_cannot_be_compiled_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CompilerError, match="neither a pipeline nor a component"):
        Compiler().compile(print, tmp_path / "p.yaml")  # type: ignore[arg-type]
    with pytest.raises(CompilerError, match=r"neither \.yaml nor \.json"):
        Compiler().compile(small, tmp_path / "p.txt")


def test_a_timeout_does_not_fit_into_json(tmp_path: Path) -> None:
    @dsl.pipeline
    def slow() -> None:
        step(1).set_timeout(5)

    with pytest.raises(CompilerError, match="second document"):
        Compiler().compile(slow, tmp_path / "p.json")


def test_a_pipeline_is_written_as_custom_resources(tmp_path: Path) -> None:
    options = KubernetesManifestOptions(
        pipeline_name="ours", pipeline_version_name="ours-2", namespace="team", include_pipeline_manifest=True
    )
    file = tmp_path / "p.yaml"
    Compiler().compile(
        small, file, kubernetes_manifest_format=True, kubernetes_manifest_options=options, runtime="kfp"
    )
    import yaml

    pipeline, version = yaml.safe_load_all(file.read_text())
    assert pipeline == {
        "apiVersion": "pipelines.kubeflow.org/v2beta1",
        "kind": "Pipeline",
        "metadata": {"name": "ours", "namespace": "team"},
        "spec": {"displayName": "ours"},
    }
    assert (version["kind"], version["metadata"]["name"]) == ("PipelineVersion", "ours-2")
    assert (version["spec"]["displayName"], version["spec"]["pipelineName"]) == ("ours-2", "ours")
    assert version["spec"]["pipelineSpec"] == pipeline_spec(small.model, "kfp")


def test_a_workspace_that_is_used_must_be_there(tmp_path: Path) -> None:
    @dsl.component
    def look(path: str) -> None:
        pass

    def uses() -> None:
        look(dsl.WORKSPACE_PATH_PLACEHOLDER + "/data")

    with pytest.raises(CompilerError, match="uses the workspace, and the pipeline has none"):
        Compiler().compile(dsl.pipeline(uses), tmp_path / "p.yaml")
    config = dsl.PipelineConfig(workspace=dsl.WorkspaceConfig(size="1Gi"))
    Compiler().compile(dsl.pipeline(pipeline_config=config)(uses), tmp_path / "p.yaml")
    assert (tmp_path / "p.yaml").read_text().count("1Gi") == 1
