"""Whole runs, each in real processes."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import pytest

from kfp_jupyter.engines.base import EngineError, LocalOptions, RunGoneError, RunOptions, RunRef
from kfp_jupyter.engines.local.preflight import check
from kfp_jupyter.model.component import InputSpec
from kfp_jupyter.model.pipeline import Pipeline, PipelineInput, Resources, Retry, TaskSettings
from kfp_jupyter.model.run import RunCreated, State, Target, TaskChanged
from kfp_jupyter.model.types import ParameterType
from tests.engines.local.bench import Deadline, component, pipeline, single, task

PARAMETERS = {"i": "int", "f": "float", "s": "str", "b": "bool", "l": "list", "d": "dict"}


def test_values_of_every_kind_flow_from_task_to_task(bench):
    make = component(
        """
        def make(n: int, data: Output[Dataset], note: OutputPath("CSV")) -> NamedTuple(
            "Out", [("i", int), ("f", float), ("s", str), ("b", bool), ("l", list), ("d", dict)]
        ):
            with open(data.path, "w") as file:
                file.write("x" * n)
            data.metadata["rows"] = n
            with open(note, "w") as file:
                file.write("a note")
            return n, n / 2, "tëxt\\n{{workflow.name}}", n > 1, [1, [2]], {"k": {"v": None}}
        """,
        "make",
        {"n": "int"},
        {**PARAMETERS, "data": "Dataset", "note": "Artifact"},
    )
    use = component(
        """
        def use(
            i: float, f: float, s: str, b: bool, l: list, d: dict,
            data: Input[Dataset], note: InputPath("CSV"),
            missing: str = "default", none: Optional[Input[Model]] = None,
        ) -> str:
            size, text = len(open(data.path).read()), open(note).read()
            return repr((i, f, s, b, l, d, size, data.metadata, text, missing, none))
        """,
        "use",
        {
            **PARAMETERS,
            "i": "float",
            "data": "Dataset",
            "note": "Artifact",
            "missing": "str",
            "none": "Model",
        },
        {"Output": "str"},
    )
    names = ("i", "f", "s", "b", "l", "d", "data", "note")
    flow = pipeline(
        {"make": make, "use": use},
        task("make", n=PipelineInput("n")),
        task("use", **{name: ("make", name) for name in names}),
        inputs=(InputSpec("n", ParameterType.INTEGER),),
    )
    state = bench.run(flow, n=4).state
    assert state.state is State.SUCCEEDED, state
    seen = (4.0, 2.0, "tëxt\n{{workflow.name}}", True, [1, [2]], {"k": {"v": None}}, 4, {"rows": 4}, "a note")
    assert state.tasks["use"].outputs == {"Output": repr((*seen, "default", None))}
    assert state.tasks["make"].inputs == {"n": 4}
    (data,) = state.tasks["make"].artifacts["data"]
    assert (data.type, data.metadata) == ("system.Dataset", {"rows": 4})
    assert Path(data.path).read_text() == "xxxx"


def test_the_events_tell_the_story_in_order(bench):
    run = bench.run(single("def step() -> int: return 1\n", outputs={"Output": "int"}))
    created, running, began, ended, over = run.events
    assert isinstance(created, RunCreated)
    assert created.tasks == ("step",)
    assert (running.state, over.state) == (State.RUNNING, State.SUCCEEDED)
    assert (began.state, began.attempt, ended.state) == (State.RUNNING, 1, State.SUCCEEDED)
    times = [event.time for event in run.events]
    assert times == sorted(times)
    # Told a second time, from the files alone, it is the same story.
    assert list(bench.engine.events(run.ref, Deadline(0))) == run.events


def test_independent_tasks_run_at_the_same_time(bench, tmp_path):
    meet = component(
        """
        def meet(folder: str, me: str, other: str) -> str:
            open(os.path.join(folder, me), "w").close()
            deadline = time.monotonic() + 30
            while not os.path.exists(os.path.join(folder, other)):
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{me} never met {other}")
                time.sleep(0.01)
            return me
        """,
        "meet",
        {"folder": "str", "me": "str", "other": "str"},
        {"Output": "str"},
    )
    both = pipeline(
        {"meet": meet},
        task("a", "meet", folder=str(tmp_path), me="a", other="b"),
        task("b", "meet", folder=str(tmp_path), me="b", other="a"),
    )
    assert bench.run(both, jobs=2).state.state is State.SUCCEEDED


def test_no_more_tasks_than_jobs_run_at_once(bench):
    nap = component("def nap(): time.sleep(0.05)\n", "nap")
    tasks = [task(f"nap-{number}", "nap") for number in range(5)]
    run = bench.run(pipeline({"nap": nap}, *tasks), jobs=2)
    changes = [event.state for event in run.events if isinstance(event, TaskChanged)]
    running = list(itertools.accumulate(1 if state is State.RUNNING else -1 for state in changes))
    assert max(running) == 2
    assert run.state.state is State.SUCCEEDED


def test_after_orders_tasks_that_share_no_data(bench):
    nothing = component("def nothing(): pass\n", "nothing")
    tasks = [task("a", "nothing", after=("b",)), task("b", "nothing", after=("c",)), task("c", "nothing")]
    run = bench.run(pipeline({"nothing": nothing}, *tasks))
    started = [event.task for event in run.events if getattr(event, "attempt", 0) == 1]
    assert started == ["c", "b", "a"]


def test_a_failure_skips_what_depends_on_it_and_nothing_else(bench):
    nothing = component("def nothing(): pass\n", "nothing")
    fail = component("def fail():\n    open('/nowhere/at/all')\n", "fail")
    tasks = [
        task("good", "nothing"),
        task("bad", "fail"),
        task("child", "nothing", after=("bad",)),
        task("grandchild", "nothing", after=("child", "good")),
        task("other", "nothing", after=("good",)),
    ]
    state = bench.run(pipeline({"nothing": nothing, "fail": fail}, *tasks)).state
    states = {name: held.state for name, held in state.tasks.items()}
    assert states == {
        "good": State.SUCCEEDED,
        "bad": State.FAILED,
        "child": State.SKIPPED,
        "grandchild": State.SKIPPED,
        "other": State.SUCCEEDED,
    }
    skipped = state.tasks["grandchild"]
    assert (skipped.reason, skipped.message) == ("UpstreamFailed", "Not run because bad failed.")
    assert (state.state, state.reason) == (State.FAILED, "TaskFailed")
    assert state.message.startswith("bad failed: FileNotFoundError: ")


TRACEBACK = """
Traceback (most recent call last):
  File "Cell In[2]", line 7, in step
    helper("one")
  File "Cell In[2]", line 3, in helper
    return int(text)
ValueError: invalid literal for int() with base 10: 'one'

Which led to:

Traceback (most recent call last):
  File "Cell In[2]", line 9, in step
    raise RuntimeError("no number") from error
RuntimeError: no number
"""


def test_an_error_is_told_in_the_lines_of_the_cell(bench):
    run = bench.run(
        single(
            """
            def helper(text):
                return int(text)

            def step():
                try:
                    helper("one")
                except ValueError as error:
                    raise RuntimeError("no number") from error
            """
        )
    )
    failed = run.state.tasks["step"]
    assert failed.reason == "RuntimeError"
    assert failed.message == "RuntimeError: no number (Cell In[2], line 9)"
    assert (failed.error.type, failed.error.message) == ("RuntimeError", "no number")
    assert (failed.error.file, failed.error.line) == ("Cell In[2]", 9)
    assert failed.error.traceback == TRACEBACK.strip()
    assert '  File "Cell In[2]", line 3, in helper' in run.log()
    assert str(run.folder) not in "\n".join(run.log())


@pytest.mark.parametrize(
    ("body", "type_", "file", "line", "message"),
    [
        ("def step(:\n", "SyntaxError", "Cell In[2]", 2, ""),
        ("def step() -> int: return 'a'\n", "BadOutput", "Cell In[2]", 2, "declared as int"),
        ("def step():\n    os._exit(3)\n", "ProcessEnded", "", 0, "exit code 3"),
        ("def step():\n    os.kill(os.getpid(), signal.SIGKILL)\n", "Killed", "", 0, "SIGKILL"),
        ("def step():\n    sys.exit('bye')\n", "SystemExit", "Cell In[2]", 3, "sys.exit('bye')"),
    ],
    ids=["syntax", "type", "exit", "killed", "sys.exit"],
)
def test_every_way_to_fail_has_its_error(bench, body, type_, file, line, message):
    failed = bench.run(single(body, outputs={"Output": "int"})).state.tasks["step"]
    error = failed.error
    assert failed.state is State.FAILED
    assert (error.type, error.file, error.line) == (type_, file, line)
    assert message in error.message


def test_a_failed_task_is_tried_again(bench, tmp_path):
    flaky = single(
        f"""
        def step() -> int:
            print("trying")
            with open({str(tmp_path / "tries")!r}, "a") as file:
                file.write("x")
            tries = os.path.getsize({str(tmp_path / "tries")!r})
            if tries < 3:
                raise RuntimeError(f"try {{tries}}")
            return tries
        """,
        TaskSettings(retry=Retry(3, backoff_seconds=0.01), caching=False),
        outputs={"Output": "int"},
    )
    run = bench.run(flaky)
    done = run.state.tasks["step"]
    assert (done.state, done.attempt, done.outputs) == (State.SUCCEEDED, 3, {"Output": 3})
    assert run.log().count("trying") == 3
    waits = [event for event in run.events if getattr(event, "reason", "") == "Retrying"]
    assert [event.error.message for event in waits] == ["try 1", "try 2"]
    assert waits[0].message.startswith("Attempt 1 of 4 failed: RuntimeError: try 1")


def test_retries_come_to_an_end(bench):
    settings = TaskSettings(retry=Retry(1), caching=False)
    failed = bench.run(single("def step():\n    raise OSError('no')\n", settings)).state.tasks["step"]
    assert (failed.state, failed.attempt) == (State.FAILED, 2)


def test_a_step_that_takes_too_long_is_ended(bench):
    settings = TaskSettings(timeout_seconds=0.5, caching=False)
    failed = bench.run(single("def step(): time.sleep(600)\n", settings)).state.tasks["step"]
    assert (failed.state, failed.reason) == (State.FAILED, "Timeout")
    assert failed.message == "Timeout: It took longer than 0.5 s."


def test_settings_and_the_notebooks_folder_reach_the_step(bench, tmp_path, monkeypatch):
    (tmp_path / "neighbour.py").write_text("answer = 42\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    run = bench.run(
        single(
            """
            def step() -> list:
                import neighbour
                return [os.environ["GREETING"], os.getcwd(), neighbour.answer, os.environ["MPLBACKEND"]]
            """,
            TaskSettings(env=(("GREETING", "hello"),), caching=False),
            outputs={"Output": "list"},
        )
    )
    assert run.state.tasks["step"].outputs == {"Output": ["hello", str(tmp_path), 42, "agg"]}


def test_a_step_sees_stubs_instead_of_this_package(bench):
    run = bench.run(
        single(
            """
            def step() -> list:
                import kfp_jupyter
                return [name for name in sys.modules if name.startswith("kfp_jupyter")]
            """,
            outputs={"Output": "list"},
        )
    )
    assert sorted(run.state.tasks["step"].outputs["Output"]) == ["kfp_jupyter", "kfp_jupyter.dsl"]


def test_what_this_machine_does_not_do_is_said(bench):
    settings = {
        "one": TaskSettings(resources=Resources(cpu_limit="2", accelerator_count="1"), image="alpine:3"),
        "two": TaskSettings(resources=Resources(memory_limit="4Gi", accelerator_type="nvidia.com/gpu")),
        "three": TaskSettings(resources=Resources(cpu_request="1", accelerator_count="0")),
    }
    step = component("def step(): pass\n", "step")
    asked = pipeline({"step": step}, *(task(name, "step", settings=held) for name, held in settings.items()))
    said = (
        "Not set aside on this machine: the accelerators of one, two.",
        "Not enforced on this machine: the CPU limit of one.",
        "Not used on this machine: the image of one.",
        "Not enforced on this machine: the memory limit of two.",
    )
    options = RunOptions("run-1", Target())
    assert bench.engine.notices(asked, options) == said
    ref = bench.engine.submit(asked, {}, replace(options, notices=said))
    assert next(bench.engine.events(ref, Deadline(10))).notices == said


def test_what_is_looked_at_before_a_run_grows_with_its_tasks_and_no_faster(monkeypatch):
    asked: list[str] = []
    component_of = Pipeline.component_of
    monkeypatch.setattr(Pipeline, "component_of", lambda *given: asked.append("") or component_of(*given))
    counts = []
    for size in (100, 400):
        asked.clear()
        tasks = (task(f"t-{number}", "step") for number in range(size))
        check(pipeline({"step": component("def step(): pass")}, *tasks), LocalOptions())
        counts.append(len(asked))
    assert 0 < counts[1] <= 4 * counts[0]


def test_a_run_id_is_used_once(bench):
    one = single("def step(): pass\n")
    bench.run(one)
    bench.count = 0
    with pytest.raises(EngineError, match="There is a run run-1 already"):
        bench.start(one)


def test_data_that_cannot_be_written_is_refused(bench, tmp_path):
    (tmp_path / "data").write_text("a file")
    with pytest.raises(EngineError, match="KFP_JUPYTER_DATA"):
        bench.start(single("def step(): pass\n"))


def test_a_run_whose_folder_is_gone_is_an_error(bench, tmp_path):
    ref = RunRef("lost", Target(), str(tmp_path / "lost"))
    with pytest.raises(RunGoneError, match="not there any more"):
        next(bench.engine.events(ref, Deadline(0)))


def test_metrics_are_told_while_the_step_runs(bench, tmp_path):
    go = tmp_path / "go"
    run = bench.start(
        single(
            f"""
            def step(metrics: Output[Metrics]):
                metrics.log_metric("loss", 0.5, step=0)
                while not os.path.exists({str(go)!r}):
                    time.sleep(0.01)
                metrics.log_metric("loss", 0.25, step=1)
                metrics.log_metric("accuracy", 0.9)
            """,
            outputs={"metrics": "Metrics"},
        )
    )
    state = run.until(lambda state: bool(state.tasks["step"].curves))
    assert state.tasks["step"].state is State.RUNNING
    assert state.tasks["step"].curves == {"loss": ((0.0, 0.5),)}
    go.touch()
    done = run.wait().tasks["step"]
    assert done.curves == {"loss": ((0.0, 0.5), (1.0, 0.25))}
    assert done.artifacts["metrics"][0].metadata["accuracy"] == 0.9
    assert not [line for line in run.log() if "kfp-jupyter" in line]
