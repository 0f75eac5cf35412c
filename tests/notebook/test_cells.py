"""Cells as steps in a real kernel: what they show, how they are linked, and what a newcomer is told."""

from __future__ import annotations

import json

import pytest

from tests.notebook.kernel import kernel

RUN_MIME = "application/vnd.kfp-jupyter.run.v1+json"
TEXT = """\
share = 0.5
===
%%component load(n: int = 10) -> rows
rows = list(range(n))
rows[:2]
===
%%component split(rows, share) -> train, test
cut = int(len(rows) * share)
train, test = rows[:cut], rows[cut:]
===
%%component fit(train) -> model, scores: Metrics
model = {'mean': sum(train) / len(train)}
scores = {'mean': model['mean']}
===
%%component
# Check the model
error = sum(abs(x - model['mean']) for x in test)
print('error', error)
"""
STORY = TEXT.split("===\n")


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    with kernel(tmp_path_factory.mktemp("data")) as made:
        made.cells_shown = []
        for cell in ("%load_ext kfp_jupyter", *STORY):
            done = made.run(cell)
            assert done.status == "ok", done.traceback
            made.cells_shown.append(done)
        yield made


def graph(cell):
    (document,) = [bundle[RUN_MIME] for bundle in cell.bundles if RUN_MIME in bundle]
    return document["graph"]


def test_the_body_runs_in_the_notebook_and_shows_its_last_line(story):
    assert story.value("len(train), len(test), model['mean'], scores['mean']") == "5 5 2.0 2.0"
    load = story.cells_shown[2]
    assert "[0, 1]" in [bundle["text/plain"] for bundle in load.bundles]
    assert story.cells_shown[5].stdout == "error 25.0\n"


def test_the_card_says_what_each_name_is(story):
    card = story.cells_shown[4].bundles[-1]["text/plain"]
    assert "Component fit" in card
    assert [line.split()[:3] for line in card.splitlines()[1:4]] == [
        ["input", "train", "Artifact"],
        ["output", "model", "Artifact"],
        ["output", "scores", "Metrics"],
    ]


def test_a_pickle_is_announced_on_the_card(story):
    card = story.run("%%component pair() -> both\nboth = (1, 2)").bundles[-1]["text/plain"]
    assert "The output 'both' (tuple) is stored as a pickle." in card
    story.run("get_ipython()._kfp_jupyter_session.cells.ledger.forget('component pair')")


def test_the_cells_are_drawn_without_running_anything(story):
    cell = story.run("%kfp graph")
    assert cell.status == "ok", cell.traceback
    nodes = [node["id"] for node in graph(cell)["nodes"]]
    assert nodes == ["load", "split", "fit", "check-the-model"]
    edges = {(edge["source"], edge["target"]) for edge in graph(cell)["edges"]}
    assert edges == {
        ("load", "split"),
        ("split", "fit"),
        ("split", "check-the-model"),
        ("fit", "check-the-model"),
    }
    assert story.value("__import__('kfp_jupyter.workbench').workbench.current().runs()") == "[]"


def test_the_cells_run_as_a_pipeline_with_the_notebooks_constants_as_parameters(story):
    cell = story.run("%%pipeline cells --auto --wait -p share=0.2", allow_stdin=False)
    assert cell.status == "ok", cell.traceback
    assert story.value("[(s.name, s.default) for s in cells.inputs]") == "[('n', 10), ('share', 0.5)]"
    run = "__import__('kfp_jupyter.workbench').workbench.current().get('latest')"
    assert story.value(f"{run}.metrics['fit']['mean']") == "0.5"
    assert story.value(f"{run}.logs('check-the-model')").startswith("error 40.0")
    assert "error 25.0" not in story.value(f"{run}.logs()")
    loaded = f"__import__('kfp_jupyter.serializers').serializers.load({run}.tasks['split'].artifacts['test'])"
    assert story.value(loaded) == "[2, 3, 4, 5, 6, 7, 8, 9]"


def test_a_component_of_a_cell_is_tried_by_calling_it(story):
    assert story.value("split([1, 2, 3, 4], 0.25).test") == "[2, 3, 4]"
    assert story.value("fit(train=[4, 6]).model") == "{'mean': 5.0}"
    assert story.value("len(train)") == "5"
    assert "no input 'rowz'" in story.run("split(rowz=[1])").traceback
    assert "lacks its argument 'share'" in story.run("split([1])").traceback


def test_an_error_in_a_step_points_at_its_line_in_the_cell(story):
    shown = story.run(
        "%%component fails(train, depth: int = 0) -> out\nout = 1\n\nif depth > 1:\n    out = 1 / 0\n"
    )
    assert shown.status == "ok", shown.traceback
    place = f"Cell In[{story.replies[shown.request]['content']['execution_count']}]"
    cell = story.run("%%pipeline failing --wait\nfails(train=load().output, depth=2)", allow_stdin=False)
    assert "ZeroDivisionError" in cell.traceback
    assert f"{place}, line 5" in cell.traceback
    story.run("%%component late(depth: int = 1) -> out\nif depth == 1:\n    out = 1\n")
    cell = story.run("%%pipeline unassigned --wait\nlate(depth=2)", allow_stdin=False)
    assert "the cell did not assign its output 'out'" in cell.traceback
    assert ", line 1" in cell.traceback
    for name in ("fails", "late"):
        story.run(f"get_ipython()._kfp_jupyter_session.cells.ledger.forget('component {name}')")


BAD = {
    "%%component f(a -> b\nb = 1": ("UsageError", ["f(a -> b", "NAME(input: type = default"]),
    "%%component f(a: Datset) -> b\nb = 1": ("UsageError", ["'a' is not known", "Datset"]),
    "%%component f() -> b\n\nbb = 1": ("CellFormError", ["line 1", "'b' is never assigned", "'bb'"]),
    "%%component f() -> b\nb = 1\nreturn b": ("CellFormError", ["line 3", "after `->`"]),
    "%%component f() -> b\nb = await g()": ("CellFormError", ["line 2", "event loop"]),
    "%%component f() -> b\n\n!ls\nb = 1": ("CellFormError", ["line 3", "!ls"]),
    "%%component f(lost) -> b\nx = 2\nb = lost": ("CellFormError", ["line 3", "'lost'", "--no-run"]),
    "%%component f() -> b\nb = (x for x in 'ab')": (
        "unstorable-output",
        ["line 1", "(generator)", "list"],
    ),
    "%%component f() -> b\nb = [lambda: 1]": ("unstorable-output", ["line 1", "'b' (list)", "lambda"]),
    "%%component f() -> load\nload = 1": ("CellFormError", ["line 1", "called like a component"]),
    "%%pipeline p --auto\nload()": ("DefinitionError", ["line 2", "body empty"]),
    "%%pipeline p(n: int) --auto\n": ("DefinitionError", ["line 1", "parameters away"]),
}


@pytest.mark.parametrize("code", BAD)
def test_a_mistake_is_one_clear_message_at_its_line(story, code):
    name, said = BAD[code]
    cell = story.run(code)
    assert cell.status == "error"
    number = story.replies[cell.request]["content"]["execution_count"]
    text = cell.traceback or cell.stderr
    assert name in (cell.ename, text.partition(":")[0]), text
    for part in said:
        assert part in text
    if name != "UsageError":
        assert f"Cell In[{number}], {said[0]}" in text
    assert "kfp_jupyter/" not in text
    assert story.value("'f' in globals(), 'p' in globals()") == "False False"


def test_a_body_that_fails_shows_the_users_lines_only(story):
    cell = story.run("%%component f() -> b\nb = 1\nraise ValueError('mine')\n")
    assert cell.ename == "ValueError"
    assert "kfp_jupyter/" not in cell.traceback
    assert ", line 3" in cell.traceback
    assert story.value("'f' in globals()") == "False"


def test_data_of_the_notebook_is_an_error_with_cell_and_line(tmp_path):
    with kernel(tmp_path) as own:
        own.run("%load_ext kfp_jupyter")
        own.run("table = [1, 2]")
        number = own.run("%%component fit(table) -> model\n\nmodel = sum(table)\n")
        count = own.replies[number.request]["content"]["execution_count"]
        cell = own.run("%kfp graph")
        assert cell.ename == "DataFlowError"
        assert f"Cell In[{count}], line 3" in cell.traceback
        assert f"Cell In[{count - 1}], line 1" in cell.traceback


def test_a_cell_that_was_edited_since_it_ran_is_told(tmp_path):
    text = "%%component load() -> rows\nrows = [1]\n"
    notebook = tmp_path / "study.ipynb"
    saved = {"cell_type": "code", "id": "abc", "source": text.replace("[1]", "[2]")}
    notebook.write_text(json.dumps({"nbformat": 4, "cells": [saved]}))
    with kernel(tmp_path, JPY_SESSION_NAME=str(notebook)) as own:
        own.run("%load_ext kfp_jupyter")

        def run_cell(code):
            message = own.client.session.msg(
                "execute_request",
                {"code": code, "silent": False, "store_history": True, "allow_stdin": False},
            )
            message["metadata"]["cellId"] = "abc"
            own.client.shell_channel.send(message)
            from tests.notebook.kernel import Cell

            cell = own.cells[message["header"]["msg_id"]] = Cell(message["header"]["msg_id"])
            return own.finish(cell)

        assert run_cell(text).status == "ok"
        said = own.run("%kfp graph").stdout
        assert "The cell of 'load' (Cell In[2]) was edited since it ran" in said
        run_cell(text.replace("[1]", "[2]"))
        assert "edited" not in own.run("%kfp graph").stdout


def test_help_shows_the_forms_with_examples(story):
    for magic, said in (
        ("%%component?", ("split(table: Dataset, share: float = 0.2) -> train, test", "--no-run", "--after")),
        ("%%pipeline?", ("%%pipeline churn --auto --run -p rounds=20", "--auto")),
    ):
        cell = story.run(magic)
        shown = story.replies[cell.request]["content"]["payload"][0]["data"]["text/plain"]
        for part in said:
            assert part in shown


def test_components_are_completed_after_after(story):
    def complete(text):
        story.replies.clear()
        story.client.complete(text, len(text))
        story.until(lambda: any(r["msg_type"] == "complete_reply" for r in story.replies.values()))
        return next(r for r in story.replies.values() if r["msg_type"] == "complete_reply")["content"][
            "matches"
        ]

    assert complete("%%component last(train) --after sp") == ["split"]
    assert complete("%%component last(train) -> out --no-r") == ["--no-run"]
    assert complete("%%pipeline --au") == ["--auto"]
    assert complete("%kfp gr") == ["graph"]
