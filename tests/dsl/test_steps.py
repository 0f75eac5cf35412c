"""Components whose steps get more than arguments, run: embedded files, notebooks, their own settings."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import nbformat
import pytest

from kfp_jupyter import dsl
from kfp_jupyter.cells.errors import ComponentError
from kfp_jupyter.dsl.embedded_artifact import unpacking
from kfp_jupyter.dsl.notebook_component import NotebookError
from kfp_jupyter.model.component import ContainerStep, PythonStep
from kfp_jupyter.model.pipeline import PipelineError
from tests.executor.conftest import Ended, Step, step  # noqa: F401 - a fixture


def run(component: Any, step: Step, flags: tuple[str, ...] = ("-u",), **parameters: Any) -> Ended:  # noqa: F811
    source = component.model.implementation
    outputs = {spec.name: "parameter" for spec in component.model.outputs}
    return step.run(source.source.text, source.function, parameters=parameters, outputs=outputs, flags=flags)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "assets"
    (made / "inner").mkdir(parents=True)
    (made / "inner" / "words.txt").write_text("hello", encoding="utf-8")
    (made / "helper.py").write_text("def shout(text):\n    return text.upper()\n", encoding="utf-8")
    return made


def test_a_folder_is_unpacked_and_its_modules_are_importable(folder: Path, step: Step) -> None:  # noqa: F811
    @dsl.component(embedded_artifact_path=str(folder))
    def read(n: int, assets: dsl.EmbeddedInput[dsl.Dataset]) -> str:
        from pathlib import Path

        from helper import shout  # type: ignore[import-not-found]

        return shout(Path(assets.path, "inner", "words.txt").read_text()) * n  # type: ignore[no-any-return]

    assert [spec.name for spec in read.model.inputs] == ["n"]
    assert run(read, step, n=2).parameters == {"Output": "HELLOHELLO"}


def test_a_file_is_unpacked(folder: Path, step: Step) -> None:  # noqa: F811
    @dsl.component(embedded_artifact_path=str(folder / "inner" / "words.txt"))
    def read(words: dsl.EmbeddedInput[dsl.Artifact], suffix: str = "!") -> str:
        return open(words.path).read() + suffix  # noqa: PTH123

    assert run(read, step).parameters == {"Output": "hello!"}


def test_what_is_embedded_is_the_same_whenever_it_is_made(folder: Path) -> None:
    before = unpacking(folder)
    os.utime(folder / "helper.py", (1, 1))
    assert unpacking(folder) == before


def test_what_cannot_be_embedded_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ComponentError, match="no file or folder"):
        unpacking(tmp_path / "nothing")
    secret = tmp_path / "secret"
    secret.write_text("x")
    (folder / "link").symlink_to(secret)
    with pytest.raises(ComponentError, match="leads out of"):
        unpacking(folder)
    (folder / "link").unlink()
    (folder / "link").symlink_to(tmp_path)
    with pytest.raises(ComponentError, match="link to a folder"):
        unpacking(folder)
    (folder / "link").unlink()
    (folder / "large").write_bytes(os.urandom(1_100_000))
    with pytest.raises(ComponentError, match=r"1\.1 MB compressed"):
        unpacking(folder)

    def lacks(words: dsl.EmbeddedInput[dsl.Dataset]) -> None:
        pass

    with pytest.raises(ComponentError, match="'words' of component 'lacks' gets what is embedded"):
        dsl.component(lacks)


def test_a_component_is_told_of_its_settings(step: Step) -> None:  # noqa: F811
    @dsl.component(task_config_passthroughs=[dsl.TaskConfigField.RESOURCES])
    def told(config: dsl.TaskConfig) -> str:
        return f"{config.resources} {config.node_selector}"

    given = {"resources": {"limits": {"cpu": "1"}}, "nodeSelector": {"a": "b"}}
    assert run(told, step, config=given).parameters == {"Output": "{'limits': {'cpu': '1'}} {'a': 'b'}"}
    assert run(told, step).parameters == {"Output": "None None"}


def test_settings_that_a_component_does_not_ask_for_are_refused() -> None:
    @dsl.component(task_config_passthroughs=[dsl.TaskConfigField.RESOURCES])
    def told(config: dsl.TaskConfig) -> None:
        pass

    def pipeline() -> None:
        told().set_cpu_limit("1").set_env_variable("A", "b")

    with pytest.raises(PipelineError, match=r"not for ENV, so these would do nothing") as refused:
        dsl.pipeline(pipeline)
    assert "TaskConfigField.ENV" in refused.value.remedy


def notebook(path: Path, *cells: str, tag: int | None = None) -> Path:
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in cells])
    if tag is not None:
        made.cells[tag].metadata["tags"] = ["parameters"]
    nbformat.write(made, path)
    return path


def test_a_notebook_runs_with_its_parameters(tmp_path: Path, step: Step) -> None:  # noqa: F811
    body = "print('n is', n)\nopen('result.txt', 'w').write(word * n)"
    path = notebook(tmp_path / "n.ipynb", "word = 'a'\nn = 1", body, tag=0)

    @dsl.notebook_component(notebook_path=str(path))
    def train(n: int) -> str:
        import os

        dsl.run_notebook(n=n)
        # The notebook's kernel works in the folder that it was unpacked to.
        return open(os.path.join(__KFP_EMBEDDED_ASSET_DIR, "result.txt")).read()  # type: ignore[name-defined] # noqa: F821, PTH118, PTH123

    ended = run(train, step, n=3)
    assert ended.parameters == {"Output": "aaa"}
    assert "n is 3" in ended.lines
    implementation = train.model.implementation
    assert isinstance(implementation, PythonStep)
    assert implementation.packages[0].startswith("nbclient")


def test_a_notebook_that_fails_fails_the_step(tmp_path: Path, step: Step) -> None:  # noqa: F811
    path = notebook(tmp_path / "n.ipynb", "1 / 0")

    @dsl.notebook_component(notebook_path=str(path))
    def train() -> None:
        dsl.run_notebook()

    ended = run(train, step)
    assert ended.code != 0
    assert "ZeroDivisionError" in ended.stderr


def test_one_notebook_is_needed(tmp_path: Path) -> None:
    def train() -> None:
        pass

    (tmp_path / "several").mkdir()
    with pytest.raises(NotebookError, match="is no notebook"):
        dsl.notebook_component(train, notebook_path=str(tmp_path / "several"))
    for name in ("a.ipynb", "b.ipynb"):
        notebook(tmp_path / "several" / name, "1")
    with pytest.raises(NotebookError, match="holds 2 notebooks"):
        dsl.notebook_component(train, notebook_path=str(tmp_path / "several"))
    with pytest.raises(NotebookError, match="outside of a step"):
        dsl.run_notebook(a=1)


def test_a_function_in_an_image_is_a_container() -> None:
    @dsl.component(target_image="registry/mine:1", packages_to_install=["x"], base_image="python:3.12")
    def inside(n: int) -> int:
        return n

    made = inside.model.implementation
    assert isinstance(made, ContainerStep)
    assert (made.image, made.command[-3:]) == ("registry/mine:1", ("python3", "-m", "kfp.dsl.executor_main"))
    assert made.args == ("--executor_input", "{{$}}", "--function_to_execute", "inside")


def test_a_component_is_written_to_a_file(tmp_path: Path) -> None:
    from kfp_jupyter.components import load_component_from_file

    @dsl.component(output_component_file=str(tmp_path / "c.yaml"))
    def one(n: int, word: str = "a") -> int:
        """Counts."""
        return n

    loaded = load_component_from_file(tmp_path / "c.yaml")
    assert (loaded.name, loaded.model.inputs, loaded.model.outputs) == (
        "one",
        one.model.inputs,
        one.model.outputs,
    )
    with pytest.raises(ComponentError, match=r"does not end with \.yaml"):
        dsl.component(one.python_func, output_component_file="c.txt")  # type: ignore[call-overload]
