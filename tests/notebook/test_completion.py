"""Completion and help in a kernel, as a front end asks for them."""

from __future__ import annotations

import pytest

STUDY = "%%pipeline study(rate: float = 0.1, rounds: int = 3)\ntrain(n=load(n=rounds).output, rate=rate)\n"


@pytest.fixture(scope="module")
def kernel(shared):
    """A kernel with a pipeline that has run once."""
    for text in (STUDY, "%kfp run study --wait", "import os"):
        done = shared.run(text)
        assert done.status == "ok", done.traceback
    return shared


def asked(kernel, kind, text):
    number = getattr(kernel.client, kind)(text, len(text))
    kernel.until(lambda: number in kernel.replies)
    return kernel.replies[number]["content"]


def complete(kernel, text):
    return asked(kernel, "complete", text)["matches"]


@pytest.mark.parametrize("command", ["run", "compile", "graph", "runs --pipeline"])
def test_pipelines_are_completed(kernel, command):
    assert complete(kernel, f"%kfp {command} st") == ["study"]


@pytest.mark.parametrize("command", ["rerun", "debug", "logs", "cancel", "resume --wait"])
def test_runs_are_completed(kernel, command):
    latest, run = complete(kernel, f"%kfp {command} ")
    assert latest == "latest"
    assert run.startswith("study-")
    assert complete(kernel, f"%kfp {command} {run[:8]}") == [run]


def test_tasks_of_the_named_run_are_completed(kernel):
    assert complete(kernel, "%kfp debug latest ") == ["load", "train"]
    assert complete(kernel, "%kfp logs --follow latest tr") == ["train"]
    assert "load" not in complete(kernel, "%kfp debug nothing l")


def test_parameters_targets_and_words_are_completed(kernel):
    assert complete(kernel, "%kfp run study -p r") == ["rate=", "rounds="]
    assert complete(kernel, "%kfp run study -p rate=1 rou") == ["rounds="]
    assert "local" in complete(kernel, "%kfp use ")
    assert "local" in complete(kernel, "%kfp run study --target ")
    assert complete(kernel, "%kfp compile study --target ") == ["argo", "kfp"]
    assert complete(kernel, "%kfp cache ") == ["clear"]
    assert complete(kernel, "%kfp gc --") == ["--dry-run", "--older-than"]
    assert set(complete(kernel, "%kfp show ")) >= {"latest", "study"}


def test_the_line_of_a_cell_may_hold_types(kernel):
    assert "float" in complete(kernel, "%%component step(rate: flo")


def test_completion_and_help_work_in_the_body_of_a_cell(kernel):
    for magic in ("%%component", "%%pipeline p"):
        assert "path" in complete(kernel, f"{magic}\nos.pat")
        assert "train" in complete(kernel, f"{magic}\ntra")
        help_ = asked(kernel, "inspect", f"{magic}\nos.path.join")
        assert help_["found"]
        assert "Join two or more pathname components" in help_["data"]["text/plain"]


@pytest.mark.parametrize(
    ("magic", "words"),
    [
        ("%%component", ["--packages auto", "`%%pipeline --auto`", "Input[Dataset]", "--no-run"]),
        ("%%pipeline", ["%%pipeline churn --auto --run", "--wait"]),
        ("%kfp", ["%kfp debug [RUN] [TASK]", "or `latest`"]),
    ],
)
def test_a_question_mark_shows_forms_and_options(kernel, magic, words):
    done = kernel.run(f"{magic}?")
    (page,) = kernel.replies[done.request]["content"]["payload"]
    for word in words:
        assert word in page["data"]["text/plain"]
