"""The test cluster does what we have read that Argo does, where it matters to what it is used for."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kfp_jupyter.engines.argo.manifest import workflow
from kfp_jupyter.engines.base import RunOptions
from kfp_jupyter.model.run import Target
from tests.cluster.depends import holds, operands
from tests.cluster.schema import problems, unknown_fields
from tests.cluster.substitution import SubstitutionError, replaced, substituted
from tests.engines.argo.pipelines import training


def test_values_are_substituted_textually_and_twice() -> None:
    template = {
        "inputs": {
            "parameters": [
                {"name": "x", "value": "{{workflow.name}} {{inputs.parameters.y}}"},
                {"name": "y", "value": "1"},
            ]
        },
        "script": {"source": "x = '{{inputs.parameters.x}}'; path = '{{outputs.parameters.o.path}}'"},
        "outputs": {"parameters": [{"name": "o", "valueFrom": {"path": "/o"}}]},
    }
    made = substituted(template, {"workflow.name": "run"})
    # The value of x was searched again: so a user's braces would have been taken for a variable.
    assert made["script"]["source"] == "x = 'run {{inputs.parameters.y}}'; path = '/o'"
    assert made["inputs"]["parameters"][0]["value"] == "run 1"


def test_quoting_is_gos_which_breaks_json_for_control_characters() -> None:
    assert replaced({"a": "{{x}}"}, {"x": 'tab\t"quote" é'}) == {"a": 'tab\t"quote" é'}
    with pytest.raises(SubstitutionError, match="invalid JSON"):
        replaced({"a": "{{x}}"}, {"x": "\x7f"})


def test_an_unresolved_reference_to_a_task_is_an_error_and_other_tags_stay() -> None:
    assert replaced("{{other}}", {}, strict=("tasks.",)) == "{{other}}"
    with pytest.raises(SubstitutionError, match="failed to resolve"):
        replaced("{{tasks.a.outputs.parameters.b}}", {}, strict=("tasks.",))


def test_expressions_pack_and_unpack_json() -> None:
    values = {"inputs.parameters.x": '"it\'s \\"q\\""', "tasks.a-b.outputs.parameters.o": 'say "x"'}
    assert replaced("{{=sprig.fromJson(inputs.parameters['x'])}}", values) == 'it\'s "q"'
    assert replaced("{{=toJson(tasks['a-b'].outputs.parameters['o'])}}", values) == '"say \\"x\\""'


@pytest.mark.parametrize(
    ("depends", "phases", "expected"),
    [
        ("a.Succeeded && b.Succeeded", {"a": "Succeeded", "b": "Succeeded"}, True),
        ("a.Succeeded && b.Succeeded", {"a": "Succeeded", "b": "Failed"}, False),
        (
            "a.Succeeded || (b-1.Failed && !c.Errored)",
            {"a": "Omitted", "b-1": "Failed", "c": "Succeeded"},
            True,
        ),
        ("a.Errored", {"a": "Error"}, True),
        ("a", {"a": "Skipped"}, True),
    ],
)
def test_depends_is_a_logical_expression(depends: str, phases: dict[str, str], expected: bool) -> None:
    assert holds(depends, phases) is expected
    assert set(operands(depends)) == set(phases)


def test_the_check_finds_what_argo_would_refuse() -> None:
    made = workflow(training(), {"rows": 1, "rate": 0.5}, RunOptions("run", Target("argo")))
    assert (problems(made), unknown_fields(made)) == ([], [])
    made["spec"]["templates"][0]["dag"]["tasks"][1]["name"] = "2nd"
    made["spec"]["templates"][1]["script"]["source"] += "{{inputs.parameters.nothing}}"
    del made["spec"]["templates"][2]["script"]["command"]
    made["metadata"]["labels"]["pipeline/runid"] = "x"
    made["spec"]["onFailure"] = "x"
    found = "\n".join(problems(made))
    for words in (
        "tasks.2nd: bad name",
        "['train'] not defined",
        "inputs.parameters.nothing",
        "no command",
        "KFP server",
    ):
        assert words in found
    assert unknown_fields(made) == ['unknown field "spec.onFailure"']


def test_it_runs_as_a_program_until_it_is_ended(tmp_path: Path) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    command = [sys.executable, "-m", "tests.cluster", "--kubeconfig", str(kubeconfig)]
    root = Path(__file__).parent.parent.parent
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert address.startswith("http://127.0.0.1:")
        assert address in kubeconfig.read_text()
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
