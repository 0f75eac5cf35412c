"""Difficult Python gives the same in the notebook, as a run here, and out of the compiled manifest."""

from __future__ import annotations

import json

import pytest
import yaml

from kfp_jupyter.cells.component import kebab_case
from tests.cells.notebooks import commands_of, corpus, run_from_manifest
from tests.notebook.kernel import kernel

NOTEBOOKS = {notebook.name: notebook for notebook in corpus()}

# Names of one notebook are not to be found in the next.
_FORGET = "for _name in {*globals()} - _before:\n    if _name[0] != '_': del globals()[_name]\n"


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """What each component returned in the notebook and in the run, and the commands of the manifest."""
    folder = tmp_path_factory.mktemp("corpus")
    in_notebook, problems = {}, {}
    with kernel(folder) as made:
        made.run("%load_ext kfp_jupyter\nfrom kfp_jupyter import pipeline\nimport json, yaml")
        made.run("_kept, _before = {}, {*globals(), '_before', '_kept'}")
        for notebook in NOTEBOOKS.values():
            for index, cell in enumerate(notebook.cells):
                done = made.run(cell)
                if done.status != "ok":
                    problems[notebook.name] = done.traceback
                elif index == notebook.component:
                    call = f"{notebook.name}(**{notebook.arguments!r})"
                    done = made.run(
                        f"_kept[{notebook.name!r}] = {notebook.name}\nprint('=', json.dumps({call}))"
                    )
                    in_notebook[notebook.name] = done.stdout.rpartition("= ")[2] or done.traceback
            made.run(_FORGET)
        arguments = {name: notebook.arguments for name, notebook in NOTEBOOKS.items()}
        for code in (
            f"def _corpus():\n    for name, made in _kept.items(): made(**{arguments!r}[name])",
            "from kfp_jupyter.dsl import pipeline\n_whole = pipeline(name='corpus')(_corpus)",
            "_whole.compile('corpus.yaml')",
            "_run = _whole.run()\n_run.wait()",
            "_outputs = {t.name: dict(t.outputs) for t in _run.tasks.values()}",
            "print('=', json.dumps(_outputs))",
        ):
            done = made.run(code)
            assert done.status == "ok", done.traceback
        in_run = json.loads(done.stdout.rpartition("= ")[2])
    manifest = next(yaml.safe_load_all((folder / "corpus.yaml").read_text(encoding="utf-8")))
    return in_notebook, in_run, commands_of(manifest), problems


def test_the_corpus_is_large():
    assert len(NOTEBOOKS) >= 40


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_it_gives_the_same_three_ways(name, results, tmp_path):
    notebook = NOTEBOOKS[name]
    in_notebook, in_run, commands, problems = results
    assert name not in problems, problems.get(name)
    assert json.loads(in_notebook[name]) == notebook.result
    assert in_run[kebab_case(name) or "task"]["Output"] == notebook.result
    assert run_from_manifest(commands[name], notebook.arguments, tmp_path / "step") == notebook.result
