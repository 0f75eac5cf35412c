"""The words of commands, and what commands have put out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kfp_jupyter.engines.local.collection import CollectionError, commit
from kfp_jupyter.engines.local.command import Command
from kfp_jupyter.engines.local.exchange import Given, executor_input, product_in
from kfp_jupyter.engines.local.placeholder import PlaceholderError
from tests.engines.local.container_bench import box

INPUTS = {
    "text": "str",
    "rate": "float",
    "table": "dict",
    "left_out": "str",
    "data": "Dataset",
    "several": "List[Model]",
}
OUTPUTS = {"model": "Model", "n": "int", "x": "float", "sure": "bool", "items": "list", "said": "str"}

GIVEN = Given(
    parameters={"text": "a b", "rate": 2.0, "table": {"k": [1, None]}},
    artifacts={
        "data": [{"uri": "gs://b/d", "customPath": "/d", "metadata": {"rows": 3}}],
        "several": [{"uri": "/one"}, {"uri": "/two"}],
    },
    others={"pipelinechannel--n": 4},
)


def filled(tmp_path: Path, *words: str) -> tuple[str, ...]:
    component = box((), inputs=INPUTS, outputs=OUTPUTS)
    asked = executor_input(component, GIVEN, tmp_path / "attempt", tmp_path / "artifacts")
    return Command(component, GIVEN, asked, {"pipeline_task_name": "train"}).words(words)


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("plain {{x}} {$}", "plain {{x}} {$}"),
        ("<{{$.inputs.parameters['text']}}>", "<a b>"),
        ("{{$.inputs.parameters['rate']}}", "2"),
        ("{{$.inputs.parameters['table']}}", '{"k":[1,null]}'),
        ("{{$.inputs.parameters['left_out']}}", "null"),
        ("{{$.inputs.parameters['pipelinechannel--n']}}", "4"),
        ("{{$.inputs.artifacts['data'].path}} {{$.inputs.artifacts['data'].uri}}", "/d gs://b/d"),
        ("{{$.inputs.artifacts['data'].metadata['rows']}}", "3"),
        ("{{$.inputs.artifacts['data'].metadata['else']}}", "null"),
        ("{{$.inputs.artifacts['several']}}", '[{"uri":"/one"},{"uri":"/two"}]'),
        ("{{$.outputs.artifacts['model'].path}}", "{tmp}/artifacts/model"),
        ("{{$.outputs.artifacts['model'].uri}}", "{tmp}/artifacts/model"),
        ("{{$.outputs.parameters['n'].output_file}}", "{tmp}/attempt/outputs/n"),
        ("{{$.outputs.output_file}}", "{tmp}/attempt/output.json"),
        ("{{$.pipeline_task_name}}", "train"),
    ],
)
def test_a_placeholder_is_replaced_by_what_it_stands_for(tmp_path, word, meant):
    assert filled(tmp_path, word) == (meant.replace("{tmp}", str(tmp_path)),)


def test_what_a_value_holds_is_not_taken_for_a_placeholder(tmp_path):
    component = box((), inputs={"text": "str"})
    given = Given(parameters={"text": "{{$.pipeline_task_name}}"})
    asked = executor_input(component, given, tmp_path, tmp_path)
    command = Command(component, given, asked, {"pipeline_task_name": "train"})
    assert command.words(["{{$.inputs.parameters['text']}}"]) == ("{{$.pipeline_task_name}}",)


def test_the_whole_executor_input_is_json(tmp_path):
    (word,) = filled(tmp_path, "{{$}}")
    assert json.loads(word)["inputs"]["parameterValues"] == GIVEN.parameters


@pytest.mark.parametrize(
    ("struct", "words"),
    [
        ({"Concat": ["a-", "{{$.inputs.parameters['text']}}", "-b"]}, ("a-a b-b",)),
        (
            {"IfPresent": {"InputName": "text", "Then": ["--t", "{{$.inputs.parameters['text']}}"]}},
            ("--t", "a b"),
        ),
        ({"IfPresent": {"InputName": "left_out", "Then": "x"}}, ()),
        ({"IfPresent": {"InputName": "left_out", "Then": "x", "Else": ["y", "z"]}}, ("y", "z")),
        ({"IfPresent": {"InputName": "data", "Then": {"Concat": ["d", "=1"]}}}, ("d=1",)),
        (
            {
                "Concat": [
                    "x",
                    {"IfPresent": {"InputName": "left_out", "Then": "y", "Else": {"Concat": ["z", "!"]}}},
                ]
            },
            ("xz!",),
        ),
        (
            {
                "IfPresent": {
                    "InputName": "text",
                    "Then": [{"IfPresent": {"InputName": "left_out", "Then": "a"}}, "b"],
                }
            },
            ("b",),
        ),
    ],
)
def test_concat_and_if_present_become_words(tmp_path, struct, words):
    assert filled(tmp_path, json.dumps(struct)) == words


def test_json_of_the_user_s_own_stays_a_word(tmp_path):
    for word in ('{"a": 1}', '{"Concat": [', "{}", '["Concat"]'):
        assert filled(tmp_path, word) == (word,)


@pytest.mark.parametrize("word", ["{{$.inputs.parameters['nothing']}}", '{"Concat": [1]}'])
def test_what_stands_for_nothing_is_an_error(tmp_path, word):
    with pytest.raises(PlaceholderError):
        filled(tmp_path, word)


# --- What is put out
# ---------------------------------------------------------------------------------------------------------


class Attempt:
    """Files that a command has written."""

    def __init__(self, folder: Path, **outputs: str) -> None:
        self.component = box((), outputs=outputs)
        self.folder = folder
        (folder / "outputs").mkdir()
        self.asked = executor_input(self.component, Given(), folder, folder / "artifacts", "written.json")

    def write(self, **texts: str) -> None:
        for name, text in texts.items():
            (self.folder / "outputs" / name).write_text(text)

    def product(self):
        commit(self.component, self.asked, self.folder / "output.json")
        return product_in(self.folder / "output.json")


def test_outputs_are_read_by_their_types(tmp_path):
    attempt = Attempt(tmp_path, n="int", x="float", sure="bool", items="list", table="dict", said="str")
    attempt.write(n=" 7\n", x="1e3\n", sure="True\n", items="[1, 2]", table='{"a": 1}\n', said=" as it is\n")
    assert attempt.product().parameters == {
        "n": 7,
        "x": 1000.0,
        "sure": True,
        "items": [1, 2],
        "table": {"a": 1},
        "said": " as it is\n",
    }


@pytest.mark.parametrize(
    ("kind", "text"),
    [("int", "1.5"), ("float", "nan"), ("bool", "perhaps"), ("list", "{}"), ("dict", "[]"), ("dict", "{")],
)
def test_what_is_not_of_its_type_is_an_error(tmp_path, kind, text):
    attempt = Attempt(tmp_path, out=kind)
    attempt.write(out=text)
    with pytest.raises(CollectionError, match=f"the output 'out' is '.*', not {kind}"):
        attempt.product()
    assert not (tmp_path / "output.json").exists()


def test_an_executor_output_that_the_command_writes_counts_first(tmp_path):
    attempt = Attempt(tmp_path, n="int", model="Model", data="Dataset")
    attempt.write(n="1")
    told = {"name": "x", "uri": "gs://b/m", "metadata": {"accuracy": 0.9}}
    written = {"parameterValues": {"n": 2}, "artifacts": {"model": {"artifacts": [told]}}}
    Path(attempt.asked["outputs"]["outputFile"]).write_text(json.dumps(written))
    product = attempt.product()
    assert product.parameters == {"n": 2}
    records = product.records()
    (model,), (data,) = records["model"], records["data"]
    assert (model.type, model.uri, model.metadata) == ("system.Model", "gs://b/m", {"accuracy": 0.9})
    assert data.uri == str(tmp_path / "artifacts" / "data")


def test_an_executor_output_that_is_none_is_an_error(tmp_path):
    attempt = Attempt(tmp_path)
    Path(attempt.asked["outputs"]["outputFile"]).write_text("[1]")
    with pytest.raises(CollectionError, match="no ExecutorOutput"):
        attempt.product()
