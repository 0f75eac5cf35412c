"""What may run at once."""

from __future__ import annotations

from kfp_jupyter.engines.base import RunOptions
from kfp_jupyter.engines.local.budget import Amounts, Budget, asked, excess
from kfp_jupyter.model.pipeline import Resources, TaskSettings
from kfp_jupyter.model.run import State, Target, TaskChanged
from tests.engines.local.bench import component, pipeline, task


def started(there_is: Amounts, *wanted: Amounts) -> list[str]:
    """Return which of some tasks, in their order, would be started at once."""
    budget = Budget(there_is)
    budget.begin()
    return [str(number) for number, want in enumerate(wanted) if budget.take(str(number), want)]


def test_what_is_asked_for_is_read_as_kubernetes_has_it():
    assert asked(Resources()) == Amounts()
    assert asked(Resources(cpu_request="500m", cpu_limit="2", memory_limit="4Gi")) == Amounts(
        1, 0.5, 4 * 1024**3 / 1000**3
    )
    gpu = Resources(accelerator_type="nvidia.com/gpu", accelerator_count="2")
    assert asked(gpu) == Amounts(1, 0, 0, 2)
    assert asked(Resources(cpu_request="{{$.inputs}}")) == Amounts()


def test_places_cores_memory_and_gpus_are_all_limits():
    assert started(Amounts(2, 8, 8, 0), Amounts(), Amounts(), Amounts()) == ["0", "1"]
    assert started(Amounts(9, 2, 8, 0), *[Amounts(1, 0.7)] * 4) == ["0", "1"]
    assert started(Amounts(9, 9, 8, 0), *[Amounts(1, 0, 3)] * 4) == ["0", "1"]
    assert started(Amounts(9, 9, 8, 2), *[Amounts(1, 0, 0, 1)] * 4) == ["0", "1"]


def test_small_ones_do_not_pass_a_big_one_for_what_it_waits_for():
    budget = Budget(Amounts(9, 4, 8, 1))
    budget.begin()
    assert budget.take("first", Amounts(1, 2))
    assert not budget.take("big", Amounts(1, 4))
    assert not budget.take("small", Amounts(1, 1))
    # These want nothing that the big one lacks.
    assert budget.take("other", Amounts(1, 0, 1))
    assert budget.take("gpu", Amounts(1, 0, 0, 1))
    budget.give_back("first")
    budget.begin()
    assert budget.take("big", Amounts(1, 4))


def test_more_than_there_is_runs_alone():
    there_is = Amounts(4, 2, 8, 0)
    huge = Amounts(1, 64)
    assert excess(huge, there_is) == {"cores": (64, 2)}
    assert started(there_is, huge, Amounts()) == ["0"]
    assert started(there_is, Amounts(), huge, Amounts()) == ["0"]
    # Without GPUs a task that wants one runs without, beside others.
    assert excess(Amounts(1, 0, 0, 1), there_is) == {}
    assert started(there_is, Amounts(1, 0, 0, 1), Amounts()) == ["0", "1"]


def test_a_run_keeps_to_what_its_tasks_ask_for(bench):
    nap = component("def nap(): time.sleep(0.05)\n", "nap")
    huge = TaskSettings(resources=Resources(memory_request="900Ti"), caching=False)
    tasks = [task(f"huge-{number}", "nap", settings=huge) for number in range(3)]
    tasks += [task(f"small-{number}", "nap") for number in range(3)]
    flow = pipeline({"nap": nap}, *tasks)
    (notice,) = bench.engine.notices(flow, RunOptions("run", Target()))
    assert notice.startswith("Runs alone. More than this machine has (")
    assert notice.endswith(" gigabytes of huge-0, huge-1, huge-2.")
    run = bench.run(flow, jobs=4)
    assert run.state.state is State.SUCCEEDED
    running: set[str] = set()
    for event in run.events:
        if isinstance(event, TaskChanged):
            change = running.add if event.state is State.RUNNING else running.discard
            change(event.task)
            assert len(running) <= 1 or not any(name.startswith("huge") for name in running)
