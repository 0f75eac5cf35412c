"""A step that failed on a cluster fails again here, on what it was given there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from kfp_jupyter import dsl
from kfp_jupyter.cells.serializers import SerializerError
from kfp_jupyter.dsl import Dataset, Input, Output
from kfp_jupyter.engines.base import EngineError
from kfp_jupyter.notebook.source import find_pipeline
from kfp_jupyter.repair.debug import failed_task, task_code
from kfp_jupyter.run.artifact import reading_image
from kfp_jupyter.workbench import Workbench
from tests.cluster import TestCluster
from tests.repair.test_debug import notebook_of

TARGET = f"argo:{TestCluster.context}"


@dsl.component
def load(rows: int, data: Output[Dataset], more: Output[Dataset]):
    import os

    data.metadata["rows"] = rows
    with open(data.path, "w") as file:  # noqa: PTH123
        file.write("x" * rows)
    os.makedirs(more.path)  # noqa: PTH103
    with open(os.path.join(more.path, "part"), "w") as file:  # noqa: PTH118, PTH123
        file.write("yy")


@dsl.component
def train(data: Input[Dataset], more: Input[Dataset], parts: int) -> float:
    import os

    with open(data.path) as file:  # noqa: PTH123 (a step in Python of its own)
        size = len(file.read()) + len(os.listdir(more.path))  # noqa: PTH208
    return size / parts


@dsl.pipeline(name="study")
def study(rows: int = 3):
    made = load(rows=rows)
    train(data=made.outputs["data"], more=made.outputs["more"], parts=0)


def program(text: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    file = tmp_path / "program.py"
    file.write_text(text)
    return subprocess.run([sys.executable, file], capture_output=True, text=True, check=False)


def test_its_artifacts_come_from_the_clusters_store(bench_on_cluster: Workbench, tmp_path: Path) -> None:
    run = bench_on_cluster.run(study.model, {"rows": 4}, target=TARGET).wait(300)
    told: list[str] = []
    code = task_code(run, failed_task(run), {}, told.append)
    assert code.notes == ()
    assert told == ["Bringing data, more from the cluster's store, read by a pod in namespace 'team-a'."]
    assert code.inputs["data"].metadata == {"rows": 4}
    assert Path(code.inputs["data"].path).read_text() == "xxxx"
    assert (Path(code.inputs["more"].path) / "part").read_text() == "yy"
    assert "ZeroDivisionError: division by zero" in program(code.text, tmp_path).stderr
    mended = code.text.replace("size / parts", "size / max(parts, 1)") + "print(train(data, more, parts))\n"
    mended = mended.replace("\ntrain(data=", "\n# train(data=")
    assert program(mended, tmp_path).stdout == "5.0\n"
    told.clear()
    assert task_code(run, "train", {}, told.append).text == code.text
    assert told == []


def test_what_cannot_be_brought_is_named_and_the_rest_is_there(
    bench_on_cluster: Workbench, cluster: TestCluster
) -> None:
    run = bench_on_cluster.run(study.model, {}, target=TARGET).wait(300)
    uri = run.tasks["load"].artifacts["data"].uri
    (cluster.folder / "repository" / uri).unlink()
    code = task_code(run, "train", {})
    (note,) = code.notes
    assert note.startswith(f"'data' ({uri}) is not here: It is not in the cluster's store any more.")
    assert note.endswith("Run the pipeline again. With a copy, set `data.path` to where it is.")
    assert (Path(code.inputs["more"].path) / "part").read_text() == "yy"
    assert "parts = 0\n" in code.text
    assert code.inputs["data"].uri == uri


def test_of_a_cluster_that_is_down_the_parameters_are_there(
    bench_on_cluster: Workbench, cluster: TestCluster
) -> None:
    run = bench_on_cluster.run(study.model, {}, target=TARGET).wait(300)
    cluster.go_down()
    try:
        code = task_code(run, "train", {})
    finally:
        cluster.come_back()
    assert len(code.notes) == 2
    assert all("does not answer" in note for note in code.notes)
    assert code.inputs["parts"] == 0


def test_an_artifact_of_a_run_on_a_cluster_has_a_path_here(
    bench_on_cluster: Workbench, cluster: TestCluster
) -> None:
    run = bench_on_cluster.run(study.model, {"rows": 2}, target=TARGET).wait(300)
    data = run.tasks["load"].artifacts["data"]
    cluster.server.requests.clear()
    assert (data.type, data.metadata) == ("system.Dataset", {"rows": 2})
    assert repr(data) == f"<system.Dataset at {data.uri}>"
    # Nothing is brought before it is asked for.
    assert cluster.server.requests == []
    assert Path(data.path).read_text() == "xx"
    assert train(data=data, more=run.tasks["load"].artifacts["more"], parts=3) == 1.0
    with pytest.raises(SerializerError, match="holds no value of a cell"):
        data.load()


def test_an_artifact_that_is_gone_says_so_where_its_path_is_asked_for(
    bench_on_cluster: Workbench, cluster: TestCluster
) -> None:
    run = bench_on_cluster.run(study.model, {}, target=TARGET).wait(300)
    data = run.tasks["load"].artifacts["data"]
    (cluster.folder / "repository" / data.uri).unlink()
    with pytest.raises(EngineError, match="not in the cluster's store any more"):
        _ = data.path


def test_a_cell_gets_the_values_themselves(bench_on_cluster: Workbench, tmp_path: Path) -> None:
    run = bench_on_cluster.run(find_pipeline(notebook_of(tmp_path)), {}, target=TARGET).wait(300)
    assert failed_task(run) == "use", run.logs()
    code = task_code(run, "use", {})
    assert code.inputs["data"] == {"held": {1, 4}, "none": 0}
    assert run.tasks["load"].artifacts["data"].load() == {"held": {1, 4}, "none": 0}
    assert "ZeroDivisionError" in program(code.text, tmp_path).stderr


def test_artifacts_are_read_in_an_image_with_python_that_the_run_has_used() -> None:
    @dsl.component(base_image="own:1")
    def one(): ...

    @dsl.component(base_image="own:2")
    def two(): ...

    @dsl.container_component
    def box():
        return dsl.ContainerSpec(image="busybox", command=["true"])

    @dsl.pipeline(name="images")
    def images():
        box()
        one()
        two().set_container_image("own:3")

    @dsl.pipeline(name="boxes")
    def boxes():
        box()

    found = {name: reading_image(images.model, name) for name in ("one", "two", "box", "")}
    assert found == {"one": "own:1", "two": "own:3", "box": "own:1", "": "own:1"}
    assert re.fullmatch(r"python:3\.\d+", reading_image(boxes.model, "box"))
