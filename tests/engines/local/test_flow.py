"""What a run does next, without processes: large graphs, and the end that is asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from kfp_jupyter.engines.local.exchange import Product
from kfp_jupyter.engines.local.flow import Flow
from kfp_jupyter.engines.local.placeholder import RunFacts
from kfp_jupyter.engines.local.scope import DONE, End
from kfp_jupyter.model.component import Component, InputSpec, OutputSpec
from kfp_jupyter.model.graph import Graph, GroupKind, Loop, Task, Trigger, TriggerStrategy
from kfp_jupyter.model.pipeline import Pipeline
from kfp_jupyter.model.run import Event, IterationsAdded, State, TaskChanged, TaskError
from kfp_jupyter.model.types import ParameterType
from kfp_jupyter.model.value import PipelineInput, TaskOutput
from tests.engines.local.bench import component, pipeline, task
from tests.growth import executed_lines

FACTS = RunFacts("run-1", "/root", "/workspace", "2026-01-01T00:00:00Z")
STEP = component("def step(n): return n", "step", {"n": "int"}, {"o": "int"})
PATIENT = Trigger(strategy=TriggerStrategy.COMPLETED)
ITEM = "pipelinechannel--item"


def flow_of(made: Pipeline, told: list[Event] | None = None) -> Flow:
    flow = Flow(made, {}, FACTS, (told if told is not None else []).append)
    flow.start()
    return flow


def run_all(flow: Flow, fails: Callable[[str], bool] = lambda _: False) -> list[str]:
    ran = []
    while flow.ready:
        step = flow.ready.popleft()
        ran.append(step.path)
        if fails(step.path):
            flow.failed(step, TaskError("ValueError", "no"))
        else:
            flow.ended(step, DONE, Product({"o": step.given().parameters.get("n", 0)}))
    return ran


def loop_over(count: int, parallelism: int = 0, body: Graph | None = None) -> Pipeline:
    inner = body or Graph(
        {"a": task("a", "step", n=PipelineInput(ITEM)), "b": task("b", "step", n=("a", "o"))},
        {"o": TaskOutput("b", "o")},
        GroupKind.LOOP,
    )
    inputs = (InputSpec(ITEM, ParameterType.INTEGER),)
    group = Component("loop", inputs, (OutputSpec("o", ParameterType.LIST),), inner)
    looped = Task("loop", "group", loop=Loop(ITEM, tuple(range(count)), parallelism=parallelism))
    return pipeline({"step": STEP, "group": group}, looped)


def states(told: list[Event]) -> dict[str, State]:
    return {event.task: event.state for event in told if isinstance(event, TaskChanged)}


@pytest.mark.parametrize(
    "make",
    [
        lambda n: loop_over(n // 2),
        lambda n: loop_over(n // 2, parallelism=1),
        lambda n: pipeline(
            {"step": STEP},
            *(task(f"t-{i}", "step", after=(f"t-{i - 1}",) if i else ()) for i in range(n)),
        ),
        lambda n: pipeline(
            {"step": STEP}, *(task(f"t-{i}", "step", after=("t-0",) if i else ()) for i in range(n))
        ),
    ],
    ids=["loop", "one at a time", "chain", "fan-out"],
)
def test_the_work_grows_with_the_tasks(make):
    small, large = make(200), make(2000)
    counts = [executed_lines(lambda made=made: run_all(flow_of(made))) for made in (small, large)]
    assert counts[1] < 11 * counts[0]
    flow = flow_of(large)
    assert len(run_all(flow)) == 2000
    assert flow.end == DONE


@pytest.mark.parametrize("parallelism", [0, 1])
def test_no_chain_is_too_long_for_the_stack(parallelism):
    chain = pipeline(
        {"step": STEP}, *(task(f"t-{i}", "step", after=(f"t-{i - 1}",) if i else ()) for i in range(5000))
    )
    told: list[Event] = []
    flow = flow_of(chain, told)
    assert run_all(flow, lambda path: path == "t-0") == ["t-0"]
    assert flow.end is not None
    assert flow.end.state is State.FAILED
    assert list(states(told).values()) == [State.SKIPPED] * 4999
    bad = loop_over(5000, parallelism)
    looped = bad.graph.tasks["loop"]
    words = replace(looped, loop=replace(looped.loop, items=("word",) * 5000))
    flow = flow_of(replace(bad, graph=Graph({"loop": words})))
    assert flow.end is not None
    assert flow.failures["loop[4999]"].message == "Item 4999 is 'word', not int."


def test_a_loop_collects_in_the_order_of_items_whatever_ends_first():
    told: list[Event] = []
    flow = flow_of(loop_over(4), told)
    while flow.ready:
        step = flow.ready.pop()
        flow.ended(step, DONE, Product({"o": step.given().parameters["n"]}))
    last = [event for event in told if isinstance(event, TaskChanged)][-1]
    assert (last.task, last.state, last.outputs) == ("loop", State.SUCCEEDED, {"o": [0, 1, 2, 3]})


def test_a_step_may_be_looped_over_by_itself():
    looped = Task("each", "step", loop=Loop("n", (5, 6)))
    told: list[Event] = []
    flow = flow_of(pipeline({"step": STEP}, looped), told)
    added = next(event for event in told if isinstance(event, IterationsAdded))
    assert list(added.paths()) == ["each[0]", "each[1]"]
    assert run_all(flow) == ["each[0]", "each[1]"]
    last = [event for event in told if isinstance(event, TaskChanged)][-1]
    assert last.outputs == {"o": [5, 6]}


def handled() -> Pipeline:
    body = Graph({"a": task("a", "step"), "b": task("b", "step", after=("a",))}, {}, GroupKind.EXIT_HANDLER)
    ending = Graph({"c": task("c", "step"), "d": task("d", "step", after=("c",))})
    groups = {"handler": Component("handler", (), (), body), "ending": Component("ending", (), (), ending)}
    return pipeline(
        {"step": STEP, **groups},
        task("first", "step"),
        task("handler", after=("first",)),
        replace(task("exit", "ending", after=("handler",)), trigger=PATIENT),
        replace(task("patient", "step", after=("first",)), trigger=PATIENT),
    )


CANCELED = End(State.CANCELED, "Canceled")


def test_on_cancel_exit_tasks_run_if_their_handler_had_begun():
    told: list[Event] = []
    flow = flow_of(handled(), told)
    flow.ended(flow.ready.popleft(), DONE)
    inside, patient = sorted(flow.ready, key=lambda step: step.path)
    flow.ready.clear()
    assert (inside.path, patient.path) == ("handler/a", "patient")
    flow.cancel()
    assert states(told) == {"handler": State.CANCELING, "handler/b": State.CANCELED}
    flow.ended(inside, CANCELED)
    flow.ended(patient, CANCELED)
    assert states(told)["handler"] is State.CANCELED
    assert run_all(flow) == ["exit/c", "exit/d"]
    assert flow.end is not None
    assert flow.end.state is State.CANCELED
    assert states(told)["exit"] is State.SUCCEEDED


def test_on_cancel_exit_tasks_do_not_run_if_their_handler_had_not_begun():
    told: list[Event] = []
    flow = flow_of(handled(), told)
    first = flow.ready.popleft()
    flow.cancel()
    assert flow.end is None
    flow.ended(first, CANCELED)
    assert flow.end is not None
    assert not flow.ready
    assert set(states(told)) == {
        *("handler", "handler/a", "handler/b", "exit", "exit/c", "exit/d", "patient")
    }
    assert set(states(told).values()) == {State.CANCELED}


def test_asked_twice_to_end_exit_tasks_end_too():
    flow = flow_of(handled())
    flow.ended(flow.ready.popleft(), DONE)
    running = list(flow.ready)
    flow.ready.clear()
    flow.cancel()
    for step in running:
        flow.ended(step, CANCELED)
    assert [step.path for step in flow.ready] == ["exit/c"]
    assert flow.ready[0].spared
    flow.cancel(also_spared=True)
    assert not flow.ready
    assert flow.end is not None


def test_on_cancel_iterations_that_have_not_begun_do_not():
    told: list[Event] = []
    flow = flow_of(loop_over(3, parallelism=1), told)
    (running,) = flow.ready
    flow.ready.clear()
    flow.cancel()
    flow.ended(running, CANCELED)
    assert flow.end is not None
    assert states(told) == {
        "loop": State.CANCELED,
        **{f"loop[{i}]/{name}": State.CANCELED for i in range(3) for name in "ab" if (i, name) != (0, "a")},
    }
