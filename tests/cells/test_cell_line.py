"""The interface on a line: what is read, and what is said of a line that cannot be."""

from __future__ import annotations

import pytest

from kfp_jupyter.cells.cell_line import InterfaceError, parameter_type, read_cell_line
from kfp_jupyter.cells.magic_parser import MagicUsageError
from kfp_jupyter.cells.signature import parse_component_line
from kfp_jupyter.model.types import ArtifactType, ParameterType


def types(ports):
    return {port.name: getattr(port.type, "python_name", None) for port in ports}


def test_inputs_outputs_types_and_defaults():
    line = read_cell_line("split(raw: Dataset, frac: float = 0.2, tag='a') -> train: Dataset, test", {})
    assert line.name == "split"
    assert types(line.inputs) == {"raw": "Dataset", "frac": "float", "tag": "str"}
    assert types(line.outputs) == {"train": "Dataset", "test": None}
    assert [(port.optional, port.default) for port in line.inputs] == [
        (False, None),
        (True, 0.2),
        (True, "a"),
    ]
    assert [port.declared for port in (*line.inputs, *line.outputs)] == [True, True, True, True, False]


@pytest.mark.parametrize(
    ("text", "inputs", "outputs"),
    [
        ("load() -> raw", [], ["raw"]),
        ("load -> raw", [], ["raw"]),
        ("show(a, b)", ["a", "b"], []),
        ("f(a: Literal['->', ')'] = '->') -> b", ["a"], ["b"]),
        ("f(a: Dict[str, List[int]] = {'x': [1, 2]}) -> b, c: int", ["a"], ["b", "c"]),
        ("split-data(x) -> y", ["x"], ["y"]),
        ("clean(df) -> df", ["df"], ["df"]),
    ],
)
def test_forms_of_lines(text, inputs, outputs):
    line = read_cell_line(text, {})
    assert [port.name for port in line.inputs] == inputs
    assert [port.name for port in line.outputs] == outputs
    assert line.name.isidentifier()


def test_a_hint_that_only_says_the_python_type_leaves_it_to_the_value():
    import numpy as np

    line = read_cell_line("f(a: np.ndarray, b: pd.DataFrame) -> c: np.ndarray", {"np": np})
    assert types(line.inputs) == {"a": None, "b": None}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("f(a: Datset) -> b", "'a' is not known.*Datset"),
        ("f(a -> b", "cannot be read"),
        ("f(a) -> ", "no output stands after"),
        ("f(*rows) -> b", "an argument with `\\*`"),
        ("f(a) -> b = 3", "'b' has a default; the body assigns it"),
        ("f(a: Dataset = 3) -> b", "'a' is an artifact, so its only default"),
        ("f(a: int = 'x') -> b", "default of 'a' is not of its type"),
        ("f(a: int = lost) -> b", "default of 'a' cannot be read: NameError"),
        ("f(a) -> b, b", "two outputs are called 'b'|cannot be read"),
        ("f(a: InputPath(str)) -> b", "is for functions"),
        ("f(a: List[Dataset]) -> b", "is for functions"),
        ("f(a: PipelineTaskFinalStatus)", "write this step as a function"),
        ("f(_a) -> b", "begins with an underscore"),
        ("2f(a) -> b", "no name for a component"),
        ("(a) -> b", "no name for a component"),
    ],
)
def test_a_line_that_cannot_be_read(text, said):
    with pytest.raises(InterfaceError, match=said):
        read_cell_line(text, {})


def test_what_stands_after_the_interface_is_options():
    options = parse_component_line(
        "split(raw: Dataset, k: str = 'a -- b') -> train: Dataset --packages pandas --after load --no-run"
    )
    assert options.interface == "split(raw: Dataset, k: str = 'a -- b') -> train: Dataset"
    assert (options.packages, options.after, options.run) == (("pandas",), ("load",), False)
    with pytest.raises(MagicUsageError, match="--nope"):
        parse_component_line("split(raw) -> train --nope")


@pytest.mark.parametrize(
    ("value", "type_"),
    [
        (True, ParameterType.BOOLEAN),
        (3, ParameterType.INTEGER),
        (2**60, None),
        (0.5, ParameterType.DOUBLE),
        ("a", ParameterType.STRING),
        ("a" * 5000, None),
        ([1], None),
        ({}, None),
        (None, None),
    ],
)
def test_small_values_are_parameters_where_nothing_is_said(value, type_):
    assert parameter_type(value) is type_


def test_a_declared_artifact_is_of_its_kind():
    line = read_cell_line("f(a: Model) -> b: Metrics", {})
    assert line.inputs[0].type == ArtifactType("system.Model")
    assert line.outputs[0].type == ArtifactType("system.Metrics")
