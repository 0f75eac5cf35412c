"""What a step does around the function: packages, the user's text, outputs that are large."""

from __future__ import annotations

import ast
import textwrap
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from kfp_jupyter.engines.argo import prelude, sender
from kfp_jupyter.model.pipeline import TaskOutput, TaskSettings
from kfp_jupyter.model.run import State
from kfp_jupyter.model.types import ParameterType
from tests.cluster import TestCluster
from tests.engines.argo.conftest import Followed
from tests.engines.argo.pipelines import (
    DATASET,
    FLOAT,
    INT,
    METRICS,
    TEXT,
    component,
    pipeline,
    task,
    training,
)
from tests.engines.argo.test_manifest import container

Start = Callable[..., Followed]


@pytest.mark.parametrize("program", [prelude, sender])
def test_what_runs_in_pods_is_python_3_8(program: ModuleType) -> None:
    ast.parse(Path(str(program.__file__)).read_text(encoding="utf-8"), feature_version=(3, 8))


def test_the_text_that_travels_as_it_is_has_nothing_that_argo_would_replace() -> None:
    assert "{{" not in Path(sender.__file__).read_text(encoding="utf-8")


def test_packages_are_installed_before_the_step(start: Start, tmp_path: Path) -> None:
    package = tmp_path / "kfp_jupyter_test_package-1.0.dist-info"
    wheel = tmp_path / "kfp_jupyter_test_package-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("kfp_jupyter_test_package.py", "VALUE = 42\n")
        archive.writestr(
            f"{package.name}/METADATA",
            "Metadata-Version: 2.1\nName: kfp-jupyter-test-package\nVersion: 1.0\n",
        )
        archive.writestr(
            f"{package.name}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{package.name}/RECORD", "")
    use = component(
        "use",
        "def use() -> int:\n    import kfp_jupyter_test_package\n    return kfp_jupyter_test_package.VALUE\n",
        {},
        {"Output": INT},
        packages=(str(wheel),),
    )
    # Not into this environment, but into the step's own folder.
    settings = TaskSettings(
        env=(("PIP_TARGET", str(tmp_path / "site")), ("PYTHONPATH", str(tmp_path / "site")))
    )
    made = start(pipeline("p", (use,), (task("use", settings=settings),))).join().tasks["use"]
    assert made.outputs == {"Output": 42}


def test_packages_that_cannot_be_installed_are_named(start: Start) -> None:
    broken = component("broken", "def broken(): ...\n", packages=("./no-such-folder",))
    error = start(pipeline("p", (broken,), (task("broken"),))).join().tasks["broken"].error
    assert error is not None
    assert error.message == "pip could not install ./no-such-folder; its output is above"


def test_packages_that_the_image_has_are_not_asked_for(start: Start) -> None:
    # An index that nobody answers at: pip would fail.
    settings = TaskSettings(env=(("PIP_INDEX_URL", "http://127.0.0.1:9/"), ("PIP_FORCE_REINSTALL", "1")))
    fine = component("fine", "def fine(): ...\n", packages=("pip", "PyYAML>=5"))
    state = start(pipeline("p", (fine,), (task("fine", settings=settings),))).join()
    assert state.state is State.SUCCEEDED


def test_metadata_too_large_for_a_status_is_thinned_and_kept_whole_in_the_store(
    start: Start, cluster: TestCluster
) -> None:
    curves = component(
        "curves",
        """
        def curves(metrics: Output[Metrics], roc: Output[ClassificationMetrics], data: Output[Dataset]):
            for step in range(1000):
                metrics.log_metric("loss", 1 / (step + 1), step=step)
            points = [number / 500 for number in range(500)]
            roc.log_roc_curve(points, points, points)
            roc.log_confusion_matrix(["a", "b"], [[1, 2], [3, 4]])
            data.metadata["note"] = "x" * 20000
            data.metadata["rows"] = 5
        """,
        {},
        {"metrics": METRICS, "roc": DATASET, "data": DATASET},
    )
    run = start(pipeline("p", (curves,), (task("curves"),)))
    made = run.join().tasks["curves"]
    assert made.state is State.SUCCEEDED
    assert made.artifacts["data"][0].metadata == {"rows": 5}
    assert made.artifacts["roc"][0].metadata["confusionMatrix"]["rows"] == [{"row": [1, 2]}, {"row": [3, 4]}]
    curve = made.artifacts["metrics"][0].metadata["metricCurves"]["loss"]
    assert 20 < len(curve) < 1000
    assert (curve[0], curve[-1]) == ([0, 1.0], [999, 0.001])
    folder = (cluster.folder / "repository" / made.artifacts["data"][0].uri).parent
    whole = (folder / "executor-output").read_text()
    assert "x" * 20000 in whole
    assert "executor-output" not in made.artifacts


def test_an_output_too_large_for_a_parameter_fails_with_the_remedy(start: Start) -> None:
    big = component("big", "def big() -> str:\n    return 'x' * 70000\n", {}, {"Output": TEXT})
    error = start(pipeline("p", (big,), (task("big"),))).join().tasks["big"].error
    assert error is not None
    assert "Make it an artifact" in error.message


def test_uris_begin_at_the_namespaces_artifact_repository(start: Start, cluster: TestCluster) -> None:
    item: dict[str, Any] = {
        "metadata": {
            "name": "artifact-repositories",
            "annotations": {"workflows.argoproj.io/default-artifact-repository": "main"},
        },
        "data": {"main": "s3:\n  bucket: team-bucket\n  endpoint: minio:9000\n"},
    }
    cluster.store.create("configmaps", cluster.namespace, item)
    made = start(training(), {"rows": 1, "rate": 0.5}).join().tasks["load"].artifacts["data"][0]
    assert made.uri.startswith("s3://team-bucket/kfp-jupyter/run-0/")
    # A container describes nothing: its artifacts are told by their keys.
    state = start(container(), {"text": "x"}).join()
    assert state.tasks["copy"].artifacts["made"][0].uri.startswith("s3://team-bucket/kfp-jupyter/run-1/")


@pytest.mark.parametrize("known", [True, False])
def test_a_step_sees_where_its_artifacts_are_stored(start: Start, cluster: TestCluster, known: bool) -> None:
    if known:
        item: dict[str, Any] = {
            "metadata": {
                "name": "artifact-repositories",
                "annotations": {"workflows.argoproj.io/default-artifact-repository": "main"},
            },
            "data": {"main": "s3: {bucket: team-bucket}"},
        }
        cluster.store.create("configmaps", cluster.namespace, item)
    make = component(
        "make",
        """
        def make(data: Output[Dataset]) -> NamedTuple("Out", [("uri", str), ("other", Dataset)]):
            from collections import namedtuple
            from kfp_jupyter.dsl import get_uri
            with open(data.path, "w") as file:
                file.write("1")
            other = Dataset(uri=get_uri("other"), metadata={"own": 1})
            with open(other.path, "w") as file:
                file.write("2")
            return namedtuple("Out", ["uri", "other"])(data.uri, other)
        """,
        {},
        {"data": DATASET, "uri": TEXT, "other": DATASET},
    )
    use = component(
        "use",
        """
        def use(data: Input[Dataset], other: Input[Dataset]) -> list:
            return [data.uri, other.uri, open(data.path).read(), open(other.path).read(), other.metadata]
        """,
        {"data": DATASET, "other": DATASET},
        {"Output": ParameterType.LIST},
    )
    given = {name: TaskOutput("make", name) for name in ("data", "other")}
    state = start(pipeline("p", (make, use), (task("make"), task("use", **given)))).join()
    assert state.state is State.SUCCEEDED, state
    made = state.tasks["make"]
    data, other, *contents = state.tasks["use"].outputs["Output"]
    assert contents == ["1", "2", {"own": 1}]
    if not known:
        # Only keys are known, which lead nowhere: a path is of more use.
        assert Path(data).name == "data"
        assert Path(data).is_absolute()
        return
    assert (data, other) == (made.artifacts["data"][0].uri, made.artifacts["other"][0].uri)
    assert made.outputs["uri"] == data
    assert data.startswith("s3://team-bucket/kfp-jupyter/run-0/")
    assert other.endswith("/other")


def test_sources_are_taken_as_they_are(start: Start) -> None:
    body = textwrap.dedent(
        """
        def odd(rate: float) -> str:
            text = "tab\\t back\\\\slash 'single' {{ jinja }} {{{x}}}"
            more = f'{{"rate": {rate}}}' + ''' triple ''' + "\\x00\\x7f" + "é😀"
            return text + more
        """
    )
    odd = component("odd", body, {"rate": FLOAT}, {"Output": TEXT})
    state = start(pipeline("p", (odd,), (task("odd", rate=1),))).join()
    expected = (
        "tab\t back\\slash 'single' {{ jinja }} {{{x}}}" + '{"rate": 1.0}' + " triple " + "\x00\x7f" + "é😀"
    )
    assert state.tasks["odd"].outputs["Output"] == expected
