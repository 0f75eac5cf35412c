"""Programs that chance writes compile here to what KFP's own compiler, running beside, makes of them.

`make test` draws the same programs each time. To hunt for differences, draw others, and more:
`KFP_JUPYTER_PROGRAMS=5000 python -m pytest tests/differential`.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from kfp_jupyter import compat
from kfp_jupyter.dsl import PipelineTask
from tests.differential.comparison import compare
from tests.differential.kfp_compiler import KfpCompiler
from tests.differential.programs import programs
from tests.differential.references import dangling

HUNT = os.environ.get("KFP_JUPYTER_PROGRAMS")
PROGRAMS = int(HUNT or 200)

PROGRAM = """\
from kfp import dsl

@dsl.component
def say(text: str) -> str:
    return text

@dsl.pipeline
def compiled(text: str):
    say(text=text).set_caching_options({})
"""


@pytest.fixture(scope="module")
def theirs() -> Iterator[KfpCompiler]:
    compat.install()
    with KfpCompiler() as compiler:
        yield compiler
    compat.uninstall()


@pytest.mark.timeout(900 + PROGRAMS)
def test_drawn_programs_compile_to_what_kfp_writes(theirs: KfpCompiler) -> None:
    outcomes: Counter[str] = Counter()

    @settings(
        max_examples=PROGRAMS,
        derandomize=not HUNT,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(programs())
    def agree(program: str) -> None:
        outcome, wrong = compare(program, theirs)
        outcomes[outcome] += 1
        assert outcome != "different", f"{wrong}\n{program}"

    agree()
    print(dict(outcomes))  # noqa: T201 - shown of a hunt with `-s`
    # What KFP does not compile, or not well, says little.
    assert outcomes["equal"] >= 0.75 * outcomes.total()


def test_what_both_refuse_or_only_one_is_told_apart(theirs: KfpCompiler) -> None:
    assert compare(PROGRAM.format(True), theirs) == ("equal", "")
    assert compare(PROGRAM.format(True).replace("text=", "words="), theirs) == ("refused", "")
    outcome, wrong = compare(PROGRAM.format(True).replace("text=text", "text"), theirs)
    assert outcome == "different"
    assert "only refused by kfp" in wrong


def test_one_changed_setting_is_a_difference(theirs: KfpCompiler, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PipelineTask, "set_caching_options", lambda task, _: task)
    assert compare(PROGRAM.format(True), theirs) == ("equal", "")
    outcome, wrong = compare(PROGRAM.format(False), theirs)
    assert outcome == "different"
    assert "cachingOptions" in wrong


def test_what_refers_to_nothing_is_found() -> None:
    task = {"componentRef": {"name": "comp-a"}, "dependentTasks": ["b"]}
    made = {
        "componentRef": {"name": "comp-b"},
        "inputs": {"parameters": {"n": {"componentInputParameter": "m"}}},
    }
    spec = {
        "components": {"comp-a": {"executorLabel": "exec-a"}},
        "deploymentSpec": {"executors": {"exec-c": {}}},
        "root": {"dag": {"tasks": {"a": task, "b": {**made, "componentRef": {"name": "comp-a"}}, "c": made}}},
    }
    assert list(dangling([spec])) == [
        "root: b: n: input m of the component around it",
        "root: c: component comp-b",
        "comp-a: executor exec-a",
        "executor exec-c that nothing runs",
    ]
