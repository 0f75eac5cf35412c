"""What a function gets and gives, in a process of its own."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

from kfp_jupyter.executor import program

# As KFP compiles a component's source.
KFP_HEADER = "import kfp\nfrom kfp import dsl\nfrom kfp.dsl import *\nfrom typing import *\n\n"


def test_the_text_is_small_and_free_of_placeholders():
    text = program()
    assert len(text.encode()) <= 24_000
    assert len(zlib.compress(text.encode(), 9)) <= 8_000
    assert "{{" not in text
    assert "kfp_jupyter.executor" not in text


def test_parameters_arrive_and_return_in_their_types(any_step):
    source = """
    from typing import Dict, List, NamedTuple, Optional

    Out = NamedTuple(
        "Out", [("seen", str), ("total", int), ("ratio", float), ("flag", bool), ("l", list), ("d", dict)]
    )

    def step(
        a: int, b: float, c: str, d: bool, e: List[int], f: Dict[str, float],
        g: int = 7, h: Optional[str] = None,
    ) -> Out:
        seen = [type(value).__name__ for value in (a, b, c, d, e, f, g, h)]
        return Out(" ".join(seen), a, b, d, e, f)
    """
    given = {"a": 5.0, "b": 2, "c": "x\n'\"ü", "d": True, "e": [1, 2], "f": {"k": 0.5}}
    names = ("seen", "total", "ratio", "flag", "l", "d")
    ended = any_step.run(source, parameters=given, outputs=dict.fromkeys(names, "parameter"))
    assert ended.parameters == {
        "seen": "int float str bool list dict int NoneType",
        "total": 5,
        "ratio": 2.0,
        "flag": True,
        "l": [1, 2],
        "d": {"k": 0.5},
    }
    assert ended.code == 0
    folder = any_step.folder / "parameters"
    assert (folder / "seen").read_text() == "int float str bool list dict int NoneType"
    assert json.loads((folder / "d").read_text()) == {"k": 0.5}


def test_artifacts_are_read_and_written_by_source_as_kfp_compiles_it(any_step):
    (any_step.folder / "in.csv").write_text("1,2,3")
    source = KFP_HEADER + (
        "def step(data: Input[Dataset], model: Output[Model], metrics: Output[Metrics],\n"
        "         note: OutputPath('Markdown'), lines: OutputPath(int)):\n"
        "    numbers = [int(text) for text in open(data.path).read().split(',')]\n"
        "    with open(model.path, 'w') as file:\n"
        "        file.write(str(sum(numbers)))\n"
        "    model.framework = 'sums'\n"
        "    model.metadata['rows'] = data.metadata['rows']\n"
        "    metrics.log_metric('total', sum(numbers))\n"
        "    open(note, 'w').write('# done')\n"
        "    open(lines, 'w').write('3')\n"
    )
    data = {
        "name": "data",
        "type": {"schemaTitle": "system.Dataset"},
        "uri": str(any_step.folder / "in.csv"),
        "metadata": {"rows": 1},
    }
    outputs = {
        "model": "system.Model",
        "metrics": "system.Metrics",
        "note": "system.Markdown",
        "lines": "parameter",
    }
    ended = any_step.run(source, inputs={"data": data}, outputs=outputs)
    assert ended.code == 0, ended.stderr
    assert ended.parameters == {"lines": 3}
    (model,) = ended.artifacts["model"]
    assert model["metadata"] == {"framework": "sums", "rows": 1}
    assert model["type"] == {"schemaTitle": "system.Model"}
    assert Path(model["uri"]).read_text() == "6"
    assert ended.artifacts["metrics"][0]["metadata"] == {"total": 6}
    assert (any_step.folder / "artifacts" / "note").read_text() == "# done"
    assert ended.stderr == ""


def test_parameters_are_read_and_written_as_files_where_their_names_stand_in_a_path(any_step):
    source = KFP_HEADER + (
        "def step(count: InputPath('Integer'), words: InputPath('JsonArray'), name: InputPath(str),\n"
        "         twice: OutputPath('Integer'), all: OutputPath('List'), said: OutputPath('String')):\n"
        "    open(twice, 'w').write(str(2 * int(open(count).read())))\n"
        "    open(all, 'w').write(open(words).read())\n"
        "    open(said, 'w').write(open(name).read())\n"
    )
    given = {"count": 21.0, "words": ["a", 'b"'], "name": "7"}
    outputs = dict.fromkeys(("twice", "all", "said"), "parameter")
    ended = any_step.run(source, parameters=given, outputs=outputs)
    assert ended.code == 0, ended.stderr
    assert ended.parameters == {"twice": 42, "all": ["a", 'b"'], "said": "7"}


def test_annotations_that_are_strings_mean_the_same(any_step):
    source = """
    from __future__ import annotations
    from kfp_jupyter.dsl import Dataset, Input, Output, component
    from typing import List, NamedTuple, Optional

    @component(base_image="python:3.12", packages_to_install=["pandas"])
    def step(data: Input[Dataset], more: List[Dataset], absent: Optional[Input[Dataset]], n: int | None,
             out: Output[Dataset]) -> NamedTuple("Out", [("rows", int)]):
        with open(out.path, "w") as file:
            file.write(open(data.path).read() * 2)
        return (len(more) + n,)
    """
    record = {"type": {"schemaTitle": "system.Dataset"}, "uri": str(any_step.folder / "in")}
    (any_step.folder / "in").write_text("ab")
    ended = any_step.run(
        source,
        parameters={"n": 3.0},
        inputs={"data": record, "more": [record, record]},
        outputs={"out": "system.Dataset", "rows": "parameter"},
    )
    assert ended.code == 0, ended.stderr
    assert ended.parameters == {"rows": 5}
    assert (any_step.folder / "artifacts" / "out").read_text() == "abab"


def test_annotations_that_only_a_newer_python_knows_do_no_harm(any_step):
    source = """
    from __future__ import annotations
    from kfp_jupyter.dsl import *

    def step(n: int | None, absent: str | None, more: list[Dataset], one: Input[Dataset] | None,
             rows: OutputPath(str)) -> dict[str, int]:
        with open(rows, "w") as file:
            file.write(f"{n} {absent} {len(more)} {one.name}")
    """
    record = {"name": "in", "type": {"schemaTitle": "system.Dataset"}, "uri": str(any_step.folder / "in")}
    ended = any_step.run(
        source,
        parameters={"n": 3},
        inputs={"more": [record, record], "one": record},
        outputs={"rows": "parameter"},
    )
    assert ended.parameters == {"rows": "3 None 2 in"}


def test_a_text_that_is_returned_for_an_artifact_is_what_its_file_holds(any_step):
    source = KFP_HEADER + (
        "def step() -> NamedTuple('Out', [('model', Model), ('rows', int)]):\n    return 'as text: é', 3\n"
    )
    ended = any_step.run(source, outputs={"model": "system.Model", "rows": "parameter"})
    (model,) = ended.artifacts["model"]
    assert Path(model["uri"]).read_text(encoding="utf-8") == "as text: é"
    assert (model["name"], model["type"]) == ("model", {"schemaTitle": "system.Model"})
    assert ended.parameters == {"rows": 3}


def test_a_single_value_and_an_artifact_can_be_returned(any_step):
    value = any_step.run("def step() -> float:\n    return 1\n", outputs={"Output": "parameter"})
    assert value.parameters == {"Output": 1.0}
    source = KFP_HEADER + (
        "def step() -> Model:\n"
        "    uri = dsl.get_uri('best')\n"
        "    open(uri, 'w').write('m')\n"
        "    return Model(uri=uri, metadata={'size': 1})\n"
    )
    (model,) = any_step.run(source, outputs={"Output": "system.Model"}).artifacts["Output"]
    assert model["uri"] == str(any_step.folder / "artifacts" / "best")
    assert model["metadata"] == {"size": 1}


def test_named_tuples_of_both_kinds_and_plain_tuples_are_taken_by_name_or_order(step):
    source = """
    from collections import namedtuple
    from typing import NamedTuple

    class Out(NamedTuple):
        a: int
        b: float

    def typed() -> Out:
        return Out(b=2, a=1)

    def plain() -> Out:
        return (1, 2)

    def local():
        return namedtuple("Out", "b a")(2.0, 1)

    def swapped() -> Out:
        return namedtuple("Other", "b a")(2.0, 1)
    """
    for function in ("typed", "plain", "local", "swapped"):
        ended = step.run(source, function, outputs={"a": "parameter", "b": "parameter"})
        assert ended.parameters == {"a": 1, "b": 2.0}, function


def test_a_coroutine_is_awaited(step):
    source = "import asyncio\nasync def step() -> int:\n    await asyncio.sleep(0)\n    return 4\n"
    assert step.run(source, outputs={"Output": "parameter"}).parameters == {"Output": 4}


def test_numpy_values_are_returned_and_nan_survives_strict_json(step):
    source = """
    from typing import NamedTuple
    import numpy

    def step() -> NamedTuple("Out", [("n", int), ("x", float), ("values", list), ("nan", float)]):
        return numpy.int64(3), numpy.float32(0.5), numpy.arange(3), float("nan")

    def back(x: float) -> str:
        return repr(x)
    """
    names = ("n", "x", "values", "nan")
    ended = step.run(source, outputs=dict.fromkeys(names, "parameter"), flags=("-u",))
    assert ended.parameters == {"n": 3, "x": 0.5, "values": [0, 1, 2], "nan": "NaN"}
    ended = step.run(source, "back", parameters={"x": "NaN"}, outputs={"Output": "parameter"}, flags=("-u",))
    assert ended.parameters == {"Output": "nan"}


def test_metric_points_are_told_while_the_step_runs(step):
    source = """
    from kfp_jupyter.dsl import *

    def step(metrics: Output[Metrics]):
        print("training", end="")
        for epoch in range(3):
            metrics.log_metric("loss", 1 / (epoch + 1), step=epoch)
        metrics.log_metric("loss", float("nan"), step=3)
        print("done")
    """
    ended = step.run(source, outputs={"metrics": "system.Metrics"})
    assert [marker["metric"]["step"] for marker in ended.markers] == [0, 1, 2]
    assert ended.markers[1] == {"metric": {"name": "loss", "step": 1, "value": 0.5}}
    assert ended.lines == ["training", "done"]
    assert ended.artifacts["metrics"][0]["metadata"]["loss"] == "NaN"


def test_the_final_status_of_an_exit_handlers_tasks_arrives(step):
    source = KFP_HEADER + (
        "def step(status: PipelineTaskFinalStatus) -> str:\n"
        "    return f'{status.state} {status.error_code} {status.error_message}'\n"
    )
    status = {"state": "FAILED", "pipelineTaskName": "group", "error": {"code": 9, "message": "no"}}
    ended = step.run(source, parameters={"status": status}, outputs={"Output": "parameter"})
    assert ended.parameters == {"Output": "FAILED 9 no"}


def test_an_installed_kfp_is_left_alone_until_something_real_is_asked_of_it(step):
    package = step.folder / "kfp"
    package.mkdir()
    (package / "__init__.py").write_text("print('real kfp')\nclass Client:\n    host = 'real'\n")
    header = f"import sys\nsys.path.insert(0, {str(step.folder)!r})\n" + KFP_HEADER
    ended = step.run(header + "from kfp import compiler\nimport kfp.dsl as d\ndef step(x: int = 1): pass\n")
    assert (ended.code, ended.lines) == (0, [])
    source = header + "def step() -> str:\n    return kfp.Client().host\n"
    ended = step.run(source, outputs={"Output": "parameter"})
    assert (ended.parameters, ended.lines) == ({"Output": "real"}, ["real kfp"])


def test_a_real_package_that_lacks_a_name_too_can_be_asked_again(step):
    package = step.folder / "packages" / "kfp"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    source = f"""
    import sys
    sys.path.insert(0, {str(package.parent)!r})
    import kfp

    def step() -> list:
        missing = []
        for name in ("Client", "LocalClient"):
            try:
                getattr(kfp, name)
            except AttributeError as error:
                missing.append(name)
        return missing
    """
    ended = step.run(source, outputs={"Output": "parameter"})
    assert ended.parameters == {"Output": ["Client", "LocalClient"]}


def test_without_it_the_message_says_what_is_missing(step):
    ended = step.run(KFP_HEADER + "def step():\n    kfp.Client()\n")
    assert ended.error["type"] == "AttributeError"
    assert ended.error["message"] == "a step has kfp.Client only if its packages hold 'kfp'"
    assert ended.error["line"] == 7


def test_what_a_step_pickles_another_step_can_load(step):
    (step.folder / "in").write_bytes(b"")
    define = "import pickle\nclass Net:\n    def __init__(self, n): self.n = n\n"
    save = define + "def step(out: Output[Model]):\n    pickle.dump(Net(3), open(out.path, 'wb'))\n"
    load = define + "def step(m: Input[Model]) -> int:\n    return pickle.load(open(m.path, 'rb')).n\n"
    (model,) = step.run(KFP_HEADER + save, outputs={"out": "system.Model"}).artifacts["out"]
    ended = step.run(KFP_HEADER + load, inputs={"m": model}, outputs={"Output": "parameter"})
    assert ended.parameters == {"Output": 3}


def test_the_executor_input_may_be_a_file(step):
    target = step.folder / "out" / "executor_output.json"
    given = step.folder / "input.json"
    given.write_text(json.dumps({"outputs": {"outputFile": str(target)}}))
    assert step.run("def step(): pass\n", given=f"@{given}").output == {
        "parameterValues": {},
        "artifacts": {},
    }
    assert step.run("def step(): pass\n", given="{").error["type"] == "BadExecutorInput"


def test_an_output_that_was_not_written_is_warned_of(step):
    ended = step.run(KFP_HEADER + "def step(m: Output[Model]): pass\n", outputs={"m": "system.Model"})
    assert ended.code == 0
    assert "warning: nothing was written to the output 'm'" in ended.stderr


def test_a_custom_path_overrides_the_uris(step):
    record = {"uri": "s3://bucket/x", "customPath": str(step.folder / "x")}
    ended = step.run(
        KFP_HEADER + "def step(d: Input[Dataset]) -> str:\n    return d.uri + d.path\n",
        inputs={"d": record},
        outputs={"Output": "parameter"},
    )
    assert ended.parameters == {"Output": f"s3://bucket/x{step.folder / 'x'}"}
