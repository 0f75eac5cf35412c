"""What a person sees who types magics: cards, graphs, lists, help."""

from __future__ import annotations

import json

import pytest

from tests.engines.local.bench import eventually
from tests.notebook.kernel import kernel

RUN_MIME = "application/vnd.kfp-jupyter.run.v1+json"


def test_a_component_cell_shows_its_card(shared):
    cell = shared.run(
        "%%component --packages 'pandas>=2' --cpu 2 --memory 4Gi --retry 3 --env TOKEN=secret --no-cache\n"
        "def card(raw: Input[Dataset], out: Output[Model], frac: float = 0.2):\n"
        "    'Split the <raw> data.'\n"
    )
    assert cell.status == "ok", cell.traceback
    bundle = cell.bundles[0]
    for said in (
        "card",
        "raw",
        "Dataset",
        "out",
        "Model",
        "frac",
        "0.2",
        "pandas>=2",
        "python:3.",
        "4Gi",
        "TOKEN",
    ):
        assert said in bundle["text/plain"]
    assert "Split the &lt;raw&gt; data." in bundle["text/html"]
    assert "secret" not in json.dumps(bundle)


def test_the_card_names_no_default_for_what_the_engine_gives(shared):
    shared.run("from kfp_jupyter.dsl import PipelineTaskFinalStatus")
    cell = shared.run(
        "%%component\ndef tidy(status: PipelineTaskFinalStatus, word: str = 'x'):\n    print(status, word)\n"
    )
    lines = cell.bundles[0]["text/plain"].splitlines()
    assert next(line for line in lines if " status " in line).endswith("given by the engine")
    assert next(line for line in lines if " word " in line).endswith("default 'x'")


def test_running_a_component_cell_again_replaces_it(shared):
    shared.run("%%component\ndef again(n: int) -> int:\n    return n\n")
    shared.run("%%component\ndef again(n: int, m: int) -> int:\n    return n\n")
    assert shared.value("[s.name for s in again.model.inputs]") == "['n', 'm']"
    assert (
        shared.value(
            "list(__import__('kfp_jupyter.workbench').workbench.current().components).count('again')"
        )
        == "1"
    )


def test_a_changed_component_names_the_pipelines_that_still_have_the_earlier_one(shared):
    first = "%%component\ndef revised(n: int) -> int:\n    return n\n"
    shared.run(first)
    shared.run("%%pipeline holds_revised\nrevised(n=1)\n")
    assert shared.run(first).stdout == ""
    changed = first.replace("return n", "return n + 1")
    said = shared.run(changed).stdout
    assert "'holds-revised' still has the earlier 'revised'" in said
    assert len(said.splitlines()) == 1
    shared.run("%%pipeline holds_revised\nrevised(n=1)\n")
    assert shared.run(changed).stdout == ""


def test_a_component_cell_that_fails_leaves_the_one_before(shared):
    shared.run("%%component\ndef kept(n: int) -> int:\n    return n\n")
    shared.run("%%component\ndef kept(n: int) -> int:\n    return n(\n")
    shared.run("%%component\nimport no_such_module\ndef kept(n: int) -> int:\n    return n\n")
    assert shared.value("type(kept).__name__") == "PythonComponent"


def test_a_package_of_the_step_need_not_be_in_the_notebook(shared):
    cell = shared.run(
        "%%component --packages no-such-module\nimport no_such_module\n"
        "def far(n: int) -> int:\n    return n\n"
    )
    assert cell.status == "ok", cell.traceback
    assert shared.value("far.python_func") == "None"


def test_helpers_and_source_lines_go_with_the_component(shared):
    number = shared.run(
        "%%component\nimport math\n\ndef helper(x):\n    return math.sqrt(x)\n\n"
        "def root(x: float) -> float:\n"
        "    return helper(x)\n"
    )
    assert number.status == "ok"
    assert "def helper" in shared.value("root.model.implementation.source.text")
    place = shared.value(
        "root.model.implementation.source.locate("
        "root.model.implementation.source.text.split('def root')[0].count(chr(10)) + 1)"
    )
    assert place.endswith(", 7)")
    assert "Cell In[" in place
    assert shared.value("root(9.0)") == "3.0"


def test_a_pipeline_cell_of_calls_draws_the_graph_and_binds_the_name(shared):
    cell = shared.run("%%pipeline first(n: int = 2)\na = load(n=n)\nb = train(n=a.output)\n")
    assert cell.status == "ok", cell.traceback
    (bundle,) = cell.bundles
    document = bundle[RUN_MIME]
    assert [node["id"] for node in document["graph"]["nodes"]] == ["load", "train"]
    assert document["run"] is None
    assert {"text/html", "image/svg+xml", "text/plain"} <= set(bundle)
    assert shared.value("first.model.name, [s.name for s in first.inputs]") == "first ['n']"
    # What the body assigns is its own business.
    assert shared.run("a").ename == "NameError"


def test_a_pipeline_names_the_cell_that_would_have_defined_a_component(shared):
    failed = shared.run("%%component\ndef late(n: int) -> int:\n    return n + not_there\n")
    assert "not_there" in failed.traceback
    place = f"Cell In[{shared.replies[failed.request]['content']['execution_count']}]"
    cell = shared.run("%%pipeline early\nlate(n=load(n=2).output)\n")
    assert f"The name 'late' is not defined; {place}, line 2 would define it." in cell.traceback
    assert f"Run {place} again" in cell.traceback


def test_a_pipeline_cell_of_one_function_takes_its_arguments_and_outputs(shared):
    cell = shared.run(
        "%%pipeline\ndef whole(n: int = 5) -> float:\n    return train(n=load(n=n).output).output\n"
    )
    assert cell.status == "ok", cell.traceback
    assert (
        shared.value("whole.model.inputs[0].default, [o.name for o in whole.model.outputs]") == "5 ['Output']"
    )


def test_a_pipeline_under_the_decorator_is_shown_when_a_cell_ends_with_it(shared):
    cell = shared.run(
        "from kfp_jupyter import dsl\n@dsl.pipeline\ndef decorated(n: int = 1):\n    load(n=n)\ndecorated\n"
    )
    assert cell.bundles[0][RUN_MIME]["pipeline"]["name"] == "decorated"
    assert (
        shared.value("'decorated' in __import__('kfp_jupyter.workbench').workbench.current().pipelines")
        == "True"
    )


def test_options_are_completed(shared):
    def complete(text):
        shared.client.complete(text, len(text))
        shared.until(lambda: any(r["msg_type"] == "complete_reply" for r in shared.replies.values()))
        reply = next(r for r in shared.replies.values() if r["msg_type"] == "complete_reply")
        shared.replies.clear()
        return reply["content"]["matches"]

    assert complete("%%component --base") == ["--base-image"]
    assert complete("%%pipeline p --ta") == ["--target"]
    assert complete("%kfp canc") == ["cancel"]
    assert "--limit" in complete("%kfp runs -")
    assert "--target" not in complete("%kfp runs -")


@pytest.mark.parametrize("code", ["%kfp", "%kfp help", "%kfp --help", "%kfp run --help"])
def test_help_says_how_each_subcommand_is_used(shared, code):
    said = shared.run(code).stdout
    for command in ("run", "compile", "runs", "show", "logs", "cancel", "targets", "use"):
        assert f"%kfp {command}" in said


def test_targets_are_listed_and_one_is_chosen(shared):
    assert "local" in shared.run("%kfp targets").bundles[0]["text/plain"]
    assert "local" in shared.run("%kfp use local").stdout


def test_loading_twice_is_loading_once_and_unloading_takes_everything_back(tmp_path):
    with kernel(tmp_path) as own:
        for _ in range(2):
            assert own.run("%load_ext kfp_jupyter").status == "ok"
            assert own.run("%reload_ext kfp_jupyter").status == "ok"
        assert own.value("len(get_ipython().Completer.custom_matchers)") == "1"
        assert own.run("%unload_ext kfp_jupyter").status == "ok"
        assert own.value("len(get_ipython().Completer.custom_matchers)") == "0"
        assert own.value("[t for t in get_ipython().kernel.comm_manager.targets if 'kfp' in t]") == "[]"
        assert own.value("[t.name for t in __import__('threading').enumerate() if 'kfp' in t.name]") == "[]"
        assert own.run("%kfp").status == "error"


def test_a_magics_help_lists_its_options(shared):
    cell = shared.run("%%component?")
    shown = shared.replies[cell.request]["content"]["payload"][0]["data"]["text/plain"]
    assert "--base-image" in shown
    assert "--packages" in shown


def test_the_notebooks_name_is_the_default_and_is_kept_with_its_runs(tmp_path):
    with kernel(tmp_path, JPY_SESSION_NAME=str(tmp_path / "Quick start.ipynb")) as own:
        own.run("%load_ext kfp_jupyter")
        own.run("%%component\ndef one() -> int:\n    return 1\n")
        cell = own.run("%%pipeline --wait\none()\n", allow_stdin=False)
        assert cell.status == "ok", cell.traceback
        assert own.value("quick_start.name") == "quick-start"
        notebook = str(tmp_path / "Quick start.ipynb")
        bench = "__import__('kfp_jupyter.workbench').workbench.current()"
        assert (
            own.value(f"[run.pipeline for run in {bench}.runs(notebook={notebook!r})]") == "['quick-start']"
        )


def test_what_failed_in_the_background_is_said_when_runs_are_listed(tmp_path):
    with kernel(tmp_path) as own:
        own.run("%load_ext kfp_jupyter")
        own.run("get_ipython()._kfp_jupyter_session.publisher.failure = RuntimeError('boom')")
        assert "Live updates failed: RuntimeError: boom" in own.run("%kfp runs").stdout


def test_room_is_made_from_a_notebook(tmp_path):
    with kernel(tmp_path) as own:
        own.run("%load_ext kfp_jupyter")
        own.run("%%component\ndef one() -> int:\n    return 1\n")
        assert own.run("%%pipeline study --wait\none()\n", allow_stdin=False).status == "ok"
        assert "0 runs, 0 environments, 0 cached results" in own.run("%kfp gc --dry-run").stdout
        wrong = own.run("%kfp gc --older-than soon")
        assert wrong.status == "error"
        assert "'soon' is no age" in f"{wrong.traceback}{wrong.stderr}"
        # The run's supervisor may not be gone yet.
        assert eventually(lambda: "1 runs" in own.run("%kfp gc --older-than 0d --dry-run").stdout)
        assert "Removed the artifacts and logs of run study-" in own.run("%kfp gc --older-than 0d").stdout
        (listed,) = own.run("%kfp runs").bundles
        assert "study" in listed["text/plain"]


def test_a_container_component_runs_here_if_the_line_says_so(shared):
    shared.run(
        "from kfp_jupyter import dsl\n"
        "@dsl.container_component\n"
        "def boxed(said: dsl.OutputPath(str)):\n"
        "    return dsl.ContainerSpec('alpine:3', ['sh', '-c', 'printf hello > \"$0\"'], [said])\n"
    )
    shared.run("%%pipeline boxes\nboxed()\n")
    cell = shared.run("%kfp run boxes --host-containers --wait")
    assert cell.status == "ok", cell.traceback
    assert "Run on this machine itself, without an image" in cell.stdout
    state = shared.value(
        "__import__('kfp_jupyter.workbench').workbench.current().get('latest').tasks['boxed'].outputs['said']"
    )
    assert state == "hello"


def test_how_to_run_is_no_word_for_a_pipeline_that_is_not_run(shared):
    shared.run("%%component\ndef unrun_step():\n    pass\n")
    cell = shared.run("%%pipeline unrun --host-containers\nunrun_step()\n")
    assert "say how to run it; add `--run`" in cell.stderr
