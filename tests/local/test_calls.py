"""After `local.init` a call is a run: what it returns, where its artifacts are, what it says."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from kfp_jupyter import dsl, local, workbench
from kfp_jupyter.compiler import Compiler
from kfp_jupyter.components import load_component_from_text
from kfp_jupyter.dsl import Artifact, Dataset, Input, Model, PipelineTask
from kfp_jupyter.dsl.base_component import NotInitializedError
from kfp_jupyter.dsl.task_outputs import OutputError
from kfp_jupyter.local.errors import FinalTaskError, LocalRunError
from kfp_jupyter.local.unused_settings import LocalSettingWarning
from kfp_jupyter.model.check import ArgumentError
from tests.local.steps import add, fail, note, train, whole, write

Init = Callable[..., None]


class Both(NamedTuple):
    sum: int
    folder: str


def test_without_init_a_component_runs_here_and_a_pipeline_is_refused(place: Path) -> None:
    assert add(a=1) == 2
    with pytest.raises(NotInitializedError, match=r"call `local\.init\(local\.SubprocessRunner\(\)\)` first"):
        whole()
    with pytest.raises(RuntimeError):  # KFP's type for the same
        whole()


def test_a_component_gives_its_value(init: Init) -> None:
    init()
    task = add(a=2, b=3)
    assert isinstance(task, PipelineTask)
    assert (task.name, task.inputs, task.output, task.outputs) == ("add", {"a": 2, "b": 3}, 5, {"Output": 5})
    assert task.state.value == "FINAL"
    assert task.run.state == "SUCCEEDED"
    assert task.outputs.get("other") is None
    with pytest.raises(KeyError, match="gave out no 'other'"):
        task.outputs["other"]
    assert add(2).output == 3


def test_reset_takes_init_back(init: Init) -> None:
    init()
    assert add(a=1).output == 2
    local.reset()
    assert add(a=1) == 2


def test_artifacts_are_objects_of_their_class_below_the_pipeline_root(init: Init, place: Path) -> None:
    init(pipeline_root="outputs")
    data = write(rows=3).output
    assert type(data) is Dataset
    assert (data.name, data.metadata) == ("data", {"rows": 3})
    assert Path(data.path).read_text() == "x\nx\nx\n"
    run, task, name = Path(data.uri).relative_to(place / "outputs").parts
    assert (run.startswith("write-"), task, name) == (True, "write", "data")


def test_a_pipeline_gives_values_and_artifacts_of_the_tasks_in_it(init: Init, place: Path) -> None:
    init()
    task = whole(rows=4)
    assert (task.name, task.outputs["rows"]) == ("whole", 4)
    model = task.outputs["model"]
    assert (type(model), model.metadata, model.name) == (Model, {"of": "4 rows, Dataset"}, "model")
    assert Path(model.path).relative_to(place / "local_outputs").parts[1:] == ("train", "model")
    given, rows = task
    assert (given.uri, rows) == (model.uri, 4)


def test_what_one_call_gave_out_is_given_to_the_next(init: Init) -> None:
    init()
    data = write(rows=2).output
    trained = train(data=data)
    assert trained.outputs["Output"] == 2
    assert trained.outputs["model"].metadata == {"of": "2 rows, Dataset"}
    assert trained.outputs["scores"].metadata == {"rows": 2}

    @dsl.pipeline
    def again(data: Input[Dataset], more: int) -> int:
        return add(a=train(data=data).outputs["Output"], b=more).output

    assert again(data=data, more=5).output == 7


def test_several_artifacts_of_a_pipeline_are_a_list(init: Init) -> None:
    @dsl.pipeline
    def many() -> list[Dataset]:
        with dsl.ParallelFor([1, 2, 3]) as rows:
            made = write(rows=rows)
        return dsl.Collected(made.output)

    init()
    assert [held.metadata["rows"] for held in many().output] == [1, 2, 3]


def test_an_importer_and_a_loaded_component_are_called_like_others(init: Init, place: Path) -> None:
    init()
    (place / "given.txt").write_text("given")
    imported = dsl.importer(str(place / "given.txt"), Dataset, metadata={"by": "hand"}).output
    assert (imported.path, imported.metadata) == (str(place / "given.txt"), {"by": "hand"})
    Compiler().compile(add, place / "add.yaml")
    Compiler().compile(whole, place / "whole.yaml")
    assert load_component_from_text((place / "add.yaml").read_text())(a=1).output == 2
    assert load_component_from_text((place / "whole.yaml").read_text())(rows=1).outputs["rows"] == 1


def test_a_run_that_fails_is_an_error_that_names_the_innermost_task(init: Init) -> None:
    @dsl.pipeline
    def inner() -> str:
        return fail().output

    @dsl.pipeline
    def outer() -> str:
        return inner().output

    init()
    with pytest.raises(LocalRunError) as raised:
        outer()
    error = raised.value
    assert error.what == "The pipeline 'outer' finished with status FAILURE: RuntimeError: on purpose."
    assert ", task fail," in error.where
    assert "run.logs('inner/fail')" in error.remedy
    assert "steps.py, line" in error.where
    assert isinstance(error, RuntimeError)
    with pytest.raises(LocalRunError, match="The task 'fail' finished with status FAILURE"):
        fail()


def test_a_failure_that_is_not_raised_is_logged_and_leaves_no_outputs(
    init: Init, caplog: pytest.LogCaptureFixture
) -> None:
    init(raise_on_error=False)
    task = fail(message="quietly")
    assert task.outputs == {}
    assert "finished with status FAILURE: RuntimeError: quietly" in caplog.text
    assert task.run.state == "FAILED"
    with pytest.raises(OutputError, match="It did not succeed"):
        _ = task.output


def test_what_comes_after_a_failure_runs_if_it_ignores_it(init: Init, place: Path) -> None:
    @dsl.pipeline
    def cleaned(path: str):
        note(path=path).after(fail()).ignore_upstream_failure()

    init(raise_on_error=False)
    cleaned(path=str(place / "marker"))
    assert (place / "marker").read_text() == "noted\n"


def test_a_failing_exit_task_fails_the_pipeline(init: Init) -> None:
    @dsl.component
    def told(status: dsl.PipelineTaskFinalStatus) -> None:
        raise RuntimeError(f"saw {status.state}")

    @dsl.pipeline
    def handled():
        with dsl.ExitHandler(told()):
            add(a=1)

    init()
    with pytest.raises(LocalRunError, match="saw SUCCEEDED"):
        handled()


def test_a_failed_attempt_is_retried(init: Init, place: Path) -> None:
    @dsl.component
    def flaky(path: str) -> int:
        import os

        count = os.path.getsize(path) if os.path.exists(path) else 0  # noqa: PTH110, PTH202 - runs in the step
        with open(path, "a") as file:  # noqa: PTH123
            file.write("x")
        if count < 2:
            raise RuntimeError("again")
        return count

    @dsl.pipeline
    def patient(path: str) -> int:
        return flaky(path=path).set_retry(3, backoff_duration="0s").output

    init()
    assert patient(path=str(place / "count")).output == 2


def test_chosen_collected_and_shared_values(init: Init, place: Path) -> None:
    @dsl.component
    def total(numbers: list[int]) -> int:
        return sum(numbers)

    @dsl.component
    def look(folder: str) -> str:
        return folder

    @dsl.pipeline(pipeline_config=dsl.PipelineConfig(workspace=dsl.WorkspaceConfig(size="1Gi")))
    def everything(pick: bool) -> Both:
        with dsl.If(pick == True):  # noqa: E712 - what is compared is no bool
            one = add(a=1)
        with dsl.Else():
            other = add(a=10)
        with dsl.ParallelFor([1, 2]) as n:
            each = add(a=n, b=dsl.OneOf(one.output, other.output))
        summed = total(numbers=dsl.Collected(each.output))
        return Both(summed.output, look(folder=dsl.WORKSPACE_PATH_PLACEHOLDER).output)

    init(workspace_root=place / "space")
    assert everything(pick=False).outputs == {"sum": 25, "folder": str(place / "space")}
    assert everything(pick=True).outputs["sum"] == 7


def test_earlier_results_are_used_only_if_asked_for(
    init: Init, place: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="kfp_jupyter.local")
    marker = str(place / "marker")
    init()
    note(path=marker)
    note(path=marker)
    assert Path(marker).read_text() == "noted\n" * 2
    init(enable_caching=True, cache_root=place / "cache")
    note(path=marker)
    assert "cache hit" not in caplog.text
    note(path=marker)
    assert Path(marker).read_text() == "noted\n" * 3
    assert "'note': cache hit" in caplog.text


def test_what_tasks_print_is_printed_with_their_names(init: Init, capsys: pytest.CaptureFixture[str]) -> None:
    @dsl.component
    def talk() -> str:
        for number in range(100):
            print(f"line {number}")  # noqa: T201 - what it prints is asked for
        return "done"

    @dsl.pipeline
    def both():
        add(a=1)
        talk()

    init()
    both()
    lines = capsys.readouterr().out.splitlines()
    assert "[add] adding 1 and 1" in lines
    # More lines than the run's state keeps are read from the log, each once and in order.
    assert [line for line in lines if line.startswith("[talk]")] == [f"[talk] line {n}" for n in range(100)]
    assert lines.index("[talk] line 99") < next(n for n, line in enumerate(lines) if "talk succeeded" in line)


def test_what_iterations_print_has_their_numbers_before_it(
    init: Init, capsys: pytest.CaptureFixture[str]
) -> None:
    @dsl.component
    def talk(rate: float):
        print(f"at {rate}")  # noqa: T201 - what it prints is asked for

    @dsl.pipeline
    def each():
        with dsl.ParallelFor([0.1, 0.3]) as rate:
            talk(rate=rate)

    init()
    each()
    lines = capsys.readouterr().out.splitlines()
    assert {line for line in lines if " at " in line} == {"[talk #0] at 0.1", "[talk #1] at 0.3"}


def test_a_setting_that_comes_too_late_warns_or_is_refused(init: Init) -> None:
    init()
    task = add(a=1)
    for method, value in (("set_cpu_limit", "1"), ("set_memory_limit", "1Gi"), ("set_display_name", "x")):
        with pytest.warns(LocalSettingWarning, match=rf"'\.{method}\(\)' is not used"):
            assert getattr(task, method)(value) is task
    for method, values in (("set_retry", [1]), ("after", [task]), ("set_env_variable", ["A", "b"])):
        with pytest.raises(FinalTaskError, match=f"`.{method}` comes too late") as raised:
            getattr(task, method)(*values)
        assert "test_calls.py, line" in raised.value.where
    with pytest.raises(FinalTaskError):
        _ = task.dependent_tasks


def test_settings_without_use_here_are_warned_of_before_the_run(init: Init) -> None:
    @dsl.pipeline
    def limited() -> int:
        task = add(a=1).set_cpu_limit("500m").set_memory_limit("1Gi").set_display_name("Adding")
        return task.set_accelerator_type("nvidia.com/gpu").output

    init()
    with pytest.warns(LocalSettingWarning) as caught:
        assert limited().output == 2
    said = "\n".join(str(each.message) for each in caught)
    assert "the CPU limit of add. (The current local runner has no 'cpu_limit'.)" in said
    assert "has no 'memory_limit'" in said
    assert "'display_name' of add" in said
    assert len({str(each.message) for each in caught}) == len(caught)


def test_wrong_arguments_name_the_line_of_the_call(init: Init) -> None:
    init()
    with pytest.raises(ArgumentError, match=r"test_calls\.py, line \d+, task add: .*has no argument 'c'"):
        add(a=1, c=2)
    with pytest.raises(ArgumentError, match="twice"):
        add(1, a=2)
    with pytest.raises(ArgumentError, match=r"'rows'.*int"):
        whole(rows="three")
    with pytest.raises(ArgumentError, match="twice"):
        whole(3, rows=3)
    with pytest.raises(TypeError):  # KFP's type for the same
        add(b=1)


def test_a_container_that_cannot_run_here_is_refused_before_it_starts(
    init: Init, monkeypatch: pytest.MonkeyPatch
) -> None:
    @dsl.container_component
    def contained():
        return dsl.ContainerSpec(image="alpine", command=["echo"])

    monkeypatch.setenv("PATH", "")
    init()
    with pytest.raises(LocalRunError, match=r"task contained: .*docker") as raised:
        contained()
    assert raised.value.remedy


def test_a_run_of_a_call_is_known_to_the_workbench(init: Init) -> None:
    init()
    task = add(a=1)
    bench = workbench.current()
    assert [run.id for run in bench.runs()] == [task.run.id]
    assert bench.get("latest").outputs == {"Output": 2}
    assert task.run.logs("add") == "adding 1 and 1\n"


def test_steps_of_a_venv_have_nothing_that_they_do_not_ask_for(place: Path) -> None:
    @dsl.component
    def where() -> str:
        import sys

        try:
            import pytest  # noqa: F401 - is it there?
        except ModuleNotFoundError:
            return sys.prefix
        return "has pytest"

    local.init(local.SubprocessRunner())
    assert where().output not in (sys.prefix, "has pytest")
    local.init(local.SubprocessRunner(use_venv=False))
    assert where().output == "has pytest"


def test_inside_a_pipeline_a_call_adds_a_task_as_ever(init: Init) -> None:
    init()

    @dsl.pipeline
    def written() -> int:
        task = add(a=1)
        assert task.state.value == "FUTURE"
        return add(a=task.output).output

    assert list(written.model.graph.tasks) == ["add", "add-2"]
    assert written().output == 3


def test_an_artifact_of_another_class_keeps_its_type(init: Init) -> None:
    class Table(Artifact):
        schema_title = "test.Table"

    @dsl.component
    def kind(table: Input[Artifact]) -> str:
        return table.schema_title

    init()
    given = Table(uri=__file__)
    assert kind(table=given).output == "test.Table"
