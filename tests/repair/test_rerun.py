from __future__ import annotations

from pathlib import Path

import pytest

from kfp_jupyter import dsl
from kfp_jupyter.dsl import Dataset, Input, Output
from kfp_jupyter.model.check import ArgumentError
from kfp_jupyter.model.pipeline import PipelineError
from kfp_jupyter.model.run import State
from kfp_jupyter.repair.rerun import RerunError, latest_run, rerun


def note(ledger, step):
    import pathlib

    with pathlib.Path(ledger).open("a") as file:
        file.write(step + "\n")


@dsl.component(additional_funcs=[note])
def load(ledger: str, rows: int, data: Output[Dataset]):
    from pathlib import Path

    note(ledger, "load")
    Path(data.path).write_text("x" * rows)


@dsl.component(additional_funcs=[note])
def aside(ledger: str):
    note(ledger, "aside")


@dsl.component(additional_funcs=[note])
def train(ledger: str, data: Input[Dataset]) -> int:
    from pathlib import Path

    note(ledger, "train")
    size = len(Path(data.path).read_text())
    if size:
        raise ValueError("it does not fit")
    return size


broken_train = train


@dsl.component(additional_funcs=[note])
def train(ledger: str, data: Input[Dataset]) -> int:
    from pathlib import Path

    note(ledger, "train")
    return len(Path(data.path).read_text())


@dsl.component(additional_funcs=[note])
def report(ledger: str, size: int) -> int:
    note(ledger, "report")
    return size


def study(trainer, rows: int = 3):
    @dsl.pipeline(name="study")
    def made(ledger: str, rows: int = rows):
        data = load(ledger=ledger, rows=rows)
        aside(ledger=ledger)
        report(ledger=ledger, size=trainer(ledger=ledger, data=data.outputs["data"]).output)

    return made.model


class Ledger:
    """Which steps really ran."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def ran(self) -> list[str]:
        lines = self.path.read_text().split() if self.path.exists() else []
        self.path.unlink(missing_ok=True)
        return sorted(lines)


@pytest.fixture
def ledger(tmp_path) -> Ledger:
    return Ledger(tmp_path / "ledger")


@pytest.mark.parametrize("caching", [True, False])
def test_only_the_mended_step_and_what_follows_it_run_again(bench, ledger, caching):
    arguments = {"ledger": str(ledger.path)}
    failed = bench.run(study(broken_train), arguments, caching=caching).wait(300)
    assert failed.state == "FAILED"
    assert ledger.ran() == ["aside", "load", "train"]

    told: list[str] = []
    bench.add_pipeline(study(broken_train))
    run = rerun(bench, failed, components={"train": train.model}, caching=caching, tell=told.append).wait(300)
    assert run.state == "SUCCEEDED"
    assert ledger.ran() == ["report", "train"]
    assert told == [f"Taken over from run {failed.id}: load, aside. Run again: train, report."]
    assert [task.cached for task in run.tasks.values()] == [True, True, False, False]
    assert run.tasks["load"].status.cached_from == failed.id
    assert run.tasks["load"].artifacts["data"] == failed.tasks["load"].artifacts["data"]
    assert run.tasks["report"].outputs == {"Output": 3}

    # A third run goes on from the second; what it takes over still says which run made it.
    third = rerun(bench, run, arguments={"rows": 3}, components={"report": other_report()}, caching=False)
    assert third.wait(300).state == "FAILED"  # the pipeline that is known here still has the broken step
    assert ledger.ran() == ["train"]
    assert third.tasks["load"].status.cached_from == failed.id


def other_report():
    @dsl.component
    def report(ledger: str, size: int) -> int:
        return size + 1

    return report.model


def test_a_changed_argument_runs_again_what_gets_it(bench, ledger):
    done = bench.run(study(train), {"ledger": str(ledger.path)}, caching=False).wait(300)
    assert ledger.ran() == ["aside", "load", "report", "train"]
    run = rerun(bench, done, study(train), arguments={"rows": 5}, caching=False).wait(300)
    assert ledger.ran() == ["load", "report", "train"]
    assert run.tasks["report"].outputs == {"Output": 5}


def test_a_step_whose_files_are_gone_runs_again(bench, ledger):
    failed = bench.run(study(broken_train), {"ledger": str(ledger.path)}).wait(300)
    Path(failed.tasks["load"].artifacts["data"].path).unlink()
    ledger.ran()
    assert rerun(bench, failed, study(train), caching=False).wait(300).state == "SUCCEEDED"
    assert ledger.ran() == ["load", "report", "train"]


def test_a_rerun_of_what_succeeded_and_is_unchanged_is_refused(bench, ledger):
    done = bench.run(study(train), {"ledger": str(ledger.path)}).wait(300)
    with pytest.raises(RerunError, match="Nothing was changed"):
        rerun(bench, done, study(train))
    with pytest.raises(RerunError, match="a run on local cannot be taken over on argo"):
        rerun(bench, done, study(broken_train), target="argo")
    with pytest.raises(ArgumentError, match="lr"):
        rerun(bench, done, study(broken_train), arguments={"lr": 1})


def test_a_component_that_does_not_fit_any_more_names_the_pipelines_cell(bench, ledger):
    @dsl.component
    def train(ledger: str, rate: float) -> int:
        return 1

    failed = bench.run(study(broken_train), {"ledger": str(ledger.path)}).wait(300)
    with pytest.raises(PipelineError, match="run the pipeline's cell again"):
        rerun(bench, failed, components={"train": train.model})


def test_the_latest_run_is_that_of_a_pipeline_defined_here(bench, ledger):
    with pytest.raises(RerunError, match="no run yet"):
        latest_run(bench)

    @dsl.pipeline(name="other")
    def other():
        aside(ledger="/dev/null")

    mine = bench.run(study(broken_train), {"ledger": str(ledger.path)}).wait(300)
    later = bench.run(other.model, {}).wait(300)
    assert latest_run(bench).id == later.id
    assert latest_run(bench, failed=True).id == mine.id
    bench.add_pipeline(study(broken_train))
    assert latest_run(bench).id == mine.id
    with pytest.raises(RerunError, match="No run has failed"):
        latest_run(bench, failed=True, pipeline="other")
    assert later.state is State.SUCCEEDED


@dsl.component(additional_funcs=[note])
def pick(ledger: str, item: int) -> int:
    note(ledger, f"pick-{item}")
    return item


@dsl.component(additional_funcs=[note])
def check(ledger: str, item: int, most: int) -> int:
    note(ledger, f"check-{item}")
    if item > most:
        raise ValueError(item)
    return item


@pytest.mark.parametrize("most", [1, 2])
def test_the_iterations_of_a_loop_are_taken_over_one_by_one(bench, ledger, most):
    def looped(most):
        @dsl.pipeline(name="looped")
        def made(ledger: str):
            with dsl.ParallelFor([1, 2]) as item:
                picked = pick(ledger=ledger, item=item)
                check(ledger=ledger, item=picked.output, most=most)

        return made.model

    failed = bench.run(looped(1), {"ledger": str(ledger.path)}, caching=False).wait(300)
    assert failed.state == "FAILED"
    assert ledger.ran() == ["check-1", "check-2", "pick-1", "pick-2"]
    run = rerun(bench, failed, looped(most), caching=False).wait(300)
    # Nothing but the iteration that failed, if nothing was changed; all that get the changed value if it was.
    assert ledger.ran() == (["check-2"] if most == 1 else ["check-1", "check-2"])
    assert (run.state == "SUCCEEDED") is (most == 2)
    taken = {path for path, task in run.status.tasks.items() if task.cached_from == failed.id}
    steps = {path.rpartition("/")[2] for path in taken if path.rpartition("/")[2]}
    assert steps >= {"pick"}
