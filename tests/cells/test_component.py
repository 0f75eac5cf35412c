"""Functions and cells as components."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from kfp_jupyter.cells import component as cells
from kfp_jupyter.cells.component import component_from_cell, component_from_function, kebab_case
from kfp_jupyter.cells.errors import (
    ComponentError,
    ComponentSyntaxError,
    DefaultError,
    MissingHintError,
    NoFunctionError,
    SignatureError,
    SourceNotFoundError,
    UnsupportedAnnotationError,
)
from kfp_jupyter.cells.finding import CheckError
from kfp_jupyter.dsl import Artifact, Dataset, Input, InputPath, Model, Output, OutputPath
from kfp_jupyter.model.component import Component, InputSpec, OutputSpec, PythonStep
from kfp_jupyter.model.types import ArtifactType, ParameterType

FILE = Path(__file__).name


class Table(Artifact):
    schema_title = "shop.Table"
    schema_version = "1.2.0"


class Scores(NamedTuple):
    model: Model
    accuracy: float


def step_of(component: Component) -> PythonStep:
    assert isinstance(component.implementation, PythonStep)
    return component.implementation


def from_cell(text: str, **options: Any) -> Component:
    return component_from_cell(text, 2, "Cell In[7]", {}, **options)


def test_hints_defaults_and_docstring_become_the_interface() -> None:
    def train(
        data: Input[Table],
        prior: Input[Model] | None = None,
        rate: float = 1,
        layers: list[int] | None = None,
        report: Output[Dataset] = None,  # type: ignore[assignment]
    ) -> Scores:
        """Train a model.

        On a table.

        Args:
            data: What to learn from.
            rate: How fast,
                at first.

        Returns:
            accuracy: Between 0 and 1.
        """
        raise NotImplementedError

    component = component_from_function(train)
    assert component.name == "train"
    assert component.description == "Train a model.\nOn a table."
    assert component.inputs == (
        InputSpec("data", ArtifactType("shop.Table", "1.2.0"), description="What to learn from."),
        InputSpec("prior", ArtifactType("system.Model"), optional=True),
        InputSpec(
            "rate", ParameterType.DOUBLE, optional=True, default=1.0, description="How fast,\nat first."
        ),
        InputSpec("layers", ParameterType.LIST, optional=True),
    )
    assert component.outputs == (
        OutputSpec("report", ArtifactType("system.Dataset")),
        OutputSpec("model", ArtifactType("system.Model")),
        OutputSpec("accuracy", ParameterType.DOUBLE, "Between 0 and 1."),
    )


def test_a_hint_may_be_optional_in_every_spelling_and_may_name_the_values() -> None:
    component = from_cell(
        "def f(a: int | None, b: Optional[int] = None, c: 'float | None' = 0.5, d: Literal['x', 'y'] = 'x',\n"
        "      e: Literal[1, 2] | None = None, g: list[int] | None = None):\n    pass\n"
    )
    assert component.inputs == (
        InputSpec("a", ParameterType.INTEGER),
        InputSpec("b", ParameterType.INTEGER, optional=True),
        InputSpec("c", ParameterType.DOUBLE, optional=True, default=0.5),
        InputSpec("d", ParameterType.STRING, optional=True, default="x", literals=("x", "y")),
        InputSpec("e", ParameterType.INTEGER, optional=True, literals=(1, 2)),
        InputSpec("g", ParameterType.LIST, optional=True),
    )


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("def f() -> tuple[int, Model]: pass", ("Output_1", "Output_2")),
        ("def f() -> 'Tuple[int, Model]': pass", ("Output_1", "Output_2")),
        (
            (
                "from dataclasses import dataclass\nfrom typing import ClassVar\n@dataclass\nclass R:\n"
                "    unit: ClassVar[str] = 'm'\n    rows: int\n    model: Model\n\ndef f() -> R: pass"
            ),
            ("rows", "model"),
        ),
        (
            (
                "from __future__ import annotations\nimport dataclasses\n"
                "@dataclasses.dataclass(frozen=True, slots=True)\nclass Base:\n    rows: int\n"
                "@dataclasses.dataclass(frozen=True, slots=True)\nclass R(Base):\n    model: Model\n"
                "\nasync def f() -> R: pass"
            ),
            ("rows", "model"),
        ),
        (
            "class R(TypedDict):\n    rows: int\n    model: Model\n\ndef f() -> R: pass",
            ("rows", "model"),
        ),
    ],
)
def test_what_is_returned_may_hold_several_outputs(cell: str, names: tuple[str, str]) -> None:
    rows, model = names
    assert from_cell(cell).outputs == (
        OutputSpec(rows, ParameterType.INTEGER),
        OutputSpec(model, ArtifactType("system.Model")),
    )


def test_paths_keep_their_names_and_carry_their_type() -> None:
    def convert(data_path: InputPath("Dataset"), n_path: OutputPath(int), any_path: OutputPath()) -> None:
        pass

    component = component_from_function(convert)
    assert component.inputs == (InputSpec("data_path", ArtifactType("system.Dataset")),)
    assert component.outputs == (
        OutputSpec("n_path", ParameterType.INTEGER),
        OutputSpec("any_path", ArtifactType("system.Artifact")),
    )


def test_the_source_is_the_functions_own_text_with_its_own_lines() -> None:
    def decorate(**_: Any) -> Any:
        return lambda function: function

    @decorate(
        several=1,
        lines=2,
    )
    def inner(text: str) -> str:
        shift = """
not indented
"""
        return shift + text

    source = step_of(component_from_function(inner)).source
    own = source.fragments[-1].text
    assert "decorate" not in own
    namespace: dict[str, Any] = {}
    exec(own, namespace)
    assert namespace["inner"]("!") == inner("!")
    line = source.text.splitlines().index("        return shift + text") + 1
    file, number = source.locate(line)
    assert file.endswith(FILE)
    assert Path(__file__).read_text().splitlines()[number - 1] == "        return shift + text"


def test_a_whole_cell_is_the_source_and_keeps_the_cells_lines() -> None:
    component = from_cell(
        "import os\n\nLIMIT = 3\n\ndef first(n: int) -> int:\n    return n\n\ndef second(): pass"
    )
    step = step_of(component)
    assert (component.name, step.function) == ("second", "second")
    assert step.source.text.endswith("def second(): pass\n")
    line = step.source.text.splitlines().index("def first(n: int) -> int:") + 1
    assert step.source.locate(line) == ("Cell In[7]", 6)


def test_a_name_picks_the_cells_function_in_either_spelling() -> None:
    cell = "def load_data() -> int: return 1\ndef other(): pass\n"
    assert from_cell(cell, name="load-data").name == "load-data"
    assert from_cell(cell, name="load_data").name == "load-data"
    with pytest.raises(NoFunctionError, match="Its functions are: load_data, other"):
        from_cell(cell, name="lod")


@pytest.mark.parametrize("returned", ["n", "n + 1", "[]", "None or n"])
def test_a_returned_value_needs_a_type_hint(returned) -> None:
    body = f"    if n:\n        return {returned}\n"
    with pytest.raises(MissingHintError, match="'step' returns a value, but has no return type") as caught:
        from_cell(f"def step(n: int):\n{body}")
    assert caught.value.where == "Cell In[7], line 2"
    assert from_cell(f"def step(n: int) -> int:\n{body}").outputs


@pytest.mark.parametrize("body", ["return", "return None", "return print(n)", "f = lambda: 1", "pass"])
def test_a_function_that_returns_nothing_needs_no_hint_for_it(body) -> None:
    assert from_cell(f"def step(n: int):\n    {body}\n").outputs == ()


def test_a_cell_becomes_a_component_without_being_run() -> None:
    cell = """
import package_of_the_step_only
from typing import NamedTuple as Named
from kfp_jupyter.dsl import Artifact

raise SystemExit("this line must not run")

class Table(Artifact):
    schema_title = "my." + KIND

KIND = "Never"
Result = Named("Result", [("table", Table), ("n", int)])

def step(table: Input["Table"], size: int = LIMIT) -> Result:
    return package_of_the_step_only.run(table)
"""
    component = component_from_cell(
        cell.replace('KIND = "Never"\n', ""), 1, "Cell In[1]", {"KIND": "Table", "LIMIT": 4}
    )
    assert component.inputs[0].type == ArtifactType("my.Table")
    assert component.inputs[1].default == 4
    assert [spec.name for spec in component.outputs] == ["table", "n"]


def test_hints_that_are_text_are_read_and_the_future_import_stays_first() -> None:
    component = from_cell(
        "from __future__ import (\n    annotations,\n)\ndef step(n: int | None = None) -> int: ...\n"
    )
    source = step_of(component).source
    compile(source.text, "step.py", "exec")
    assert component.inputs == (InputSpec("n", ParameterType.INTEGER, optional=True),)
    line = source.text.splitlines().index("def step(n: int | None = None) -> int: ...") + 1
    assert source.locate(line) == ("Cell In[7]", 5)


def test_a_hint_that_is_text_twice_is_read_as_python_reads_it() -> None:
    component = from_cell(
        "from __future__ import annotations\n"
        "def step(n: 'int', data: 'Input[\"Dataset\"]', best: 'Optional[int]' = None) -> 'str': ...\n"
    )
    assert component.inputs == (
        InputSpec("n", ParameterType.INTEGER),
        InputSpec("data", ArtifactType("system.Dataset")),
        InputSpec("best", ParameterType.INTEGER, optional=True, nullable=True),
    )
    assert component.outputs == (OutputSpec("Output", ParameterType.STRING),)


@pytest.mark.parametrize(
    ("cell", "kind", "line", "message"),
    [
        ("def f(a: int):\n    return (", ComponentSyntaxError, 3, "never closed"),
        ("\n!pip install x\ndef f(): pass", ComponentSyntaxError, 3, "`--packages` installs"),
        ("x = 1", NoFunctionError, 2, "no function"),
        ("f = lambda x: x", NoFunctionError, 2, "no function"),
        (
            "def f(\n    a: int,\n    b,\n): pass",
            MissingHintError,
            4,
            "'b' of component 'f' has no type hint",
        ),
        ("def f(a: set): pass", UnsupportedAnnotationError, 2, "`set` of argument 'a'"),
        ("def f(a: int | str): pass", UnsupportedAnnotationError, 2, "argument 'a'"),
        ("def f() -> tuple[int, set]: pass", UnsupportedAnnotationError, 2, "output 'Output_2'"),
        ("def f() -> tuple[int, ...]: pass", UnsupportedAnnotationError, 2, "output 'Output'"),
        ("def f() -> tuple: pass", UnsupportedAnnotationError, 2, "output 'Output'"),
        ("def f(a: tuple[int, str]): pass", UnsupportedAnnotationError, 2, "argument 'a'"),
        ("def f(a: Literal[1, 'a']): pass", UnsupportedAnnotationError, 2, "argument 'a'"),
        ("def f(a: Literal['a', None]): pass", UnsupportedAnnotationError, 2, "argument 'a'"),
        (
            "def f(a: Literal['a', 'b'] = 'c'): pass",
            DefaultError,
            2,
            "got 'c', which is none of 'a', 'b'. Write one of 'a', 'b' as the default",
        ),
        ("def f() -> list[Dataset]: pass", UnsupportedAnnotationError, 2, "only pipelines"),
        ("x = 1\ndef f(a: Unknown): pass", CheckError, 3, "'Unknown' is not defined"),
        ("def f(a: 'Unknown'): pass", CheckError, 2, "'Unknown' is not defined"),
        ("def f(*rest: int): pass", SignatureError, 2, "`*rest"),
        ("def f(**rest: int): pass", SignatureError, 2, "`**rest"),
        ("async def f() -> int:\n    yield 1", SignatureError, 2, "generator"),
        ("def f() -> list:\n    yield 1", SignatureError, 2, "generator"),
        ("def f(Output: int) -> int: pass", SignatureError, 2, "'Output'"),
        (
            "def f(a: Output[Dataset]) -> NamedTuple('R', [('a', int)]): pass",
            SignatureError,
            2,
            "two outputs called 'a'",
        ),
        ("def f(\n  a: int = 'x'): pass", DefaultError, 3, "got 'x' of type str, not int"),
        ("def f(a: bool = 1): pass", DefaultError, 2, "got 1 of type int, not bool"),
        ("def f(a: float = float('nan')): pass", DefaultError, 2, "nan"),
        ("def f(a: dict = {'a': {1}}): pass", DefaultError, 2, "not JSON"),
        ("def f(a: Input[Dataset] = 1): pass", DefaultError, 2, "is an artifact"),
    ],
)
def test_what_cannot_be_a_component_says_where_and_why(
    cell: str, kind: type[ComponentError], line: int, message: str
) -> None:
    with pytest.raises(kind) as refused:
        from_cell(cell)
    assert refused.value.where == f"Cell In[7], line {line}"
    assert message in str(refused.value)
    assert refused.value.remedy


def test_what_is_no_function_of_known_text_is_refused() -> None:
    with pytest.raises(NoFunctionError, match="lambda"):
        component_from_function(lambda n: n)
    with pytest.raises(NoFunctionError, match="a class"):
        component_from_function(Table)
    namespace: dict[str, Any] = {}
    # Not `<string>`: some Pythons know the text of their command line by that name.
    exec(compile("def unknown(n: int) -> int: return n", "<nowhere>", "exec"), namespace)
    with pytest.raises(SourceNotFoundError, match="cell of its own"):
        component_from_function(namespace["unknown"])


def test_a_function_whose_hints_are_not_evaluated_keeps_them_so_in_a_step() -> None:
    def step(n: int) -> int:
        return n

    source = step_of(component_from_function(step)).source
    assert source.text.startswith("from __future__ import annotations\n")
    compile(source.text, "step.py", "exec")


def test_a_name_of_an_enclosing_function_that_is_bound_later_has_no_value_yet() -> None:
    def step(n: int) -> int:
        return n + later

    with pytest.raises(CheckError, match="'later' is not defined"):
        component_from_function(step)
    later = 1
    assert "later = 1\n" in step_of(component_from_function(step)).source.text


def test_an_inner_generator_makes_no_generator_of_a_function() -> None:
    assert from_cell("def f() -> list:\n    def g():\n        yield 1\n    return list(g())").outputs


def test_the_image_is_this_kernels_python_unless_kfps_is_followed() -> None:
    image = f"python:{sys.version_info.major}.{sys.version_info.minor}"
    assert step_of(from_cell("def f(): pass")).base_image == image
    cells.follow_kfp(True)
    try:
        assert step_of(from_cell("def f(): pass")).base_image == "python:3.11"
    finally:
        cells.follow_kfp(False)
    assert step_of(from_cell("def f(): pass", base_image="mine:1")).base_image == "mine:1"


def test_names_take_kfps_spelling() -> None:
    assert kebab_case("Train_Model__2") == "train-model-2"
    assert kebab_case("_private_") == "private"
    assert from_cell("def 학습(n: int): pass").name == "task"
