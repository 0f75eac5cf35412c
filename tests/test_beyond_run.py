"""What KFP's SDK does not offer, run on this machine by its own engine."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from kfp_jupyter.notebook.source import find_pipeline
from kfp_jupyter.run import Run
from kfp_jupyter.workbench import Workbench

HEAD = """
from kfp_jupyter import dsl

@dsl.component
def number(n: int) -> int:
    return n

@dsl.component
def show(value: float = 0.0, text: str = "", items: list = []) -> str:
    return f"{value} {text} {items}"

@dsl.component
def facts() -> dict:
    return {"a": {"b": [10, 20]}, "name": "x", "rate": 0.5}
"""


@pytest.fixture
def workbench(tmp_path, monkeypatch) -> Iterator[Workbench]:
    monkeypatch.setenv("KFP_JUPYTER_DATA", str(tmp_path / "data"))
    bench = Workbench()
    yield bench
    bench.close()


@pytest.fixture
def ran(workbench, tmp_path):
    """Run the pipeline `p` of a program, given without its head."""

    def run(program: str, **arguments: object) -> Run:
        path: Path = tmp_path / "program.py"
        path.write_text(HEAD + textwrap.dedent(program))
        return workbench.run(find_pipeline(path, "p"), arguments).wait(300)

    return run


def outputs(run: Run) -> dict[str, dict[str, object]]:
    assert run.state == "SUCCEEDED", [task.error for task in run.tasks.values()]
    return {name: dict(task.outputs) for name, task in run.tasks.items()}


def test_values_are_calculated_with_and_parts_of_them_taken(ran):
    run = ran(
        """
        @dsl.pipeline
        def p(rows: int, rate: float = 0.5):
            first = number(rows)
            show(value=-(first.output + rows) * rate / 2)
            number(2 ** first.output % 100 // 3)
            found = facts()
            number(found.output["a"]["b"][1])
            show(value=found.output["rate"] * 2, text=found.output["name"])
            show(items=found.output["a"]["b"])
        """,
        rows=8,
    )
    made = outputs(run)
    assert made["show"] == {"Output": "-4.0  []"}
    assert made["number-2"] == {"Output": 18}
    assert made["number-3"] == {"Output": 20}
    assert made["show-2"] == {"Output": "1.0 x []"}
    assert made["show-3"] == {"Output": "0.0  [10, 20]"}


@pytest.mark.parametrize(
    ("use", "error"),
    [
        ("number(first.output // (first.output - 8))", "'n' cannot be had: `8 // 0` cannot be calculated"),
        ('number(facts().output["nope"])', "'n' cannot be had: There is no 'nope' in"),
        ('number(facts().output["name"] - 1)', "'n' cannot be had: `str - int` cannot be calculated"),
    ],
)
def test_values_that_do_not_allow_it_fail_the_task_and_only_it(ran, use, error):
    run = ran(
        f"""
        @dsl.pipeline
        def p():
            first = number(8)
            {use}
            show(value=1.0)
        """
    )
    assert run.state == "FAILED"
    failed = run.tasks["number-2"]
    assert failed.state == "FAILED"
    assert failed.error.type == "BadArgument"
    assert error in failed.error.message
    assert run.tasks["show"].state == "SUCCEEDED"


def test_hints_that_kfp_refuses_run(ran):
    run = ran(
        """
        from dataclasses import dataclass
        from typing import Literal, Optional, TypedDict

        @dataclass
        class Scores:
            auc: float
            rows: "int" = 1

        class Named(TypedDict):
            word: str
            flags: list

        @dsl.component
        async def score(n: Optional[int], mode: Literal["a", "b"] = "a", rate: float | None = None) -> Scores:
            import asyncio
            await asyncio.sleep(0)
            return Scores(auc=0 if n is None else n, rows=len(mode) if rate is None else 7)

        @dsl.component
        def pair(n: int) -> tuple[int, str, dsl.Dataset]:
            with open(dsl.get_uri("data"), "w") as file:
                file.write("rows")
            return n + 1, "x", dsl.Dataset(uri=dsl.get_uri("data"))

        @dsl.component
        def name(data: dsl.Input[dsl.Dataset]) -> Named:
            with open(data.path) as file:
                return {"word": file.read(), "flags": [True]}

        @dsl.pipeline
        def p(mode: Literal["a", "b"]):
            n, word, data = pair(1)
            score(n, mode, 0.5)
            score(None, mode)
            named = name(data)
            show(text=named.outputs["word"] + "-" + word, items=named.outputs["flags"])
        """,
        mode="b",
    )
    made = outputs(run)
    assert made["pair"] == {"Output_1": 2, "Output_2": "x"}
    assert made["score"] == {"auc": 2.0, "rows": 7}
    assert made["score-2"] == {"auc": 0.0, "rows": 1}
    assert made["name"] == {"word": "rows", "flags": [True]}
    assert made["show"] == {"Output": "0.0 rows-x [True]"}


def test_a_value_that_a_literal_does_not_allow_fails_the_step(ran):
    run = ran(
        """
        from typing import Literal

        @dsl.component
        def choose(mode: Literal["a", "b"]) -> str:
            return mode

        @dsl.pipeline
        def p(mode: str):
            choose(mode)
        """,
        mode="c",
    )
    error = run.tasks["choose"].error
    assert (error.type, error.message) == ("BadArgument", "the argument 'mode' is 'c', not one of ('a', 'b')")


def test_conditions_are_combined_and_calculations_reach_into_groups(ran):
    run = ran(
        """
        @dsl.component
        def odd(n: int) -> bool:
            return n % 2 == 1

        @dsl.component
        def word(n: int) -> str:
            return "ab"[n % 2]

        @dsl.pipeline
        def inner(n: int, text: str = "none") -> int:
            return number(n * 10).output

        @dsl.pipeline
        def p(rows: int):
            first = number(rows)
            second = number(rows + 1)
            is_odd = odd(first.output)
            with dsl.If(is_odd.output & (first.output < second.output) & ~(second.output == rows)):
                show(text="all")
            with dsl.If((first.output > second.output) | word(rows).output.is_in(["x", "b"])):
                show(text="any")
            with dsl.If(~is_odd.output):
                show(text="never")
            with dsl.If(first.output + second.output * 2 == 11):
                show(text="calculated")
            with dsl.ParallelFor([1, 2]) as item:
                inner(item + first.output, "x")
            with dsl.ParallelFor([{"a": 1}]) as row:
                inner(row.a * 2)
        """,
        rows=3,
    )
    made = outputs(run)
    shown = {str(held["Output"]).split()[1] for name, held in made.items() if "/show" in name and held}
    assert shown == {"all", "any", "calculated"}
    numbers = sorted(held["Output"] for name, held in made.items() if name.endswith("/number"))
    assert numbers == [20, 40, 50]
    assert [task.state for name, task in run.tasks.items() if name.endswith("show-3")] == ["SKIPPED"]
