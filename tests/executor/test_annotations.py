from __future__ import annotations

import re
from typing import List, Optional  # noqa: UP035

import pytest

from kfp_jupyter.executor.annotations import Input, InputPath, Meaning, Output, OutputPath, meaning
from kfp_jupyter.executor.artifacts import Artifact, Dataset, Model


class Vertex(Model):
    schema_title = "google.VertexModel"


@pytest.mark.parametrize(
    ("annotation", "means"),
    [
        (int, Meaning(int)),
        (Optional[int], Meaning(int, optional=True)),  # noqa: UP045
        (int | None, Meaning(int, optional=True)),
        (List[int], Meaning(List[int])),  # noqa: UP006
        (Dataset, Meaning(Dataset, True)),
        (List[Dataset], Meaning(Dataset, True, is_list=True)),  # noqa: UP006
        (Input[Dataset], Meaning(Dataset, True)),
        (Input[list[Dataset]], Meaning(Dataset, True, is_list=True)),
        (Input["Dataset"], Meaning(Dataset, True)),
        (Input[Dataset] | None, Meaning(Dataset, True, optional=True)),
        (Output[Vertex], Meaning(Vertex, True, is_output=True)),
        (Output[List[Model]], Meaning(Model, True, True, is_list=True)),  # noqa: UP006
        ("Output[Model]", Meaning(Model, True, is_output=True)),
        (InputPath(), Meaning(Artifact, True, is_path=True)),
        (InputPath, Meaning(Artifact, True, is_path=True)),
        (InputPath("CSV"), Meaning(Artifact, True, is_path=True)),
        (InputPath("Dataset"), Meaning(Dataset, True, is_path=True)),
        (InputPath("dataset"), Meaning(Dataset, True, is_path=True)),
        (InputPath("system.Dataset"), Meaning(Artifact, True, is_path=True)),
        (InputPath("JsonArray"), Meaning(list, is_path=True)),
        (OutputPath("Integer"), Meaning(int, is_output=True, is_path=True)),
        (OutputPath("String"), Meaning(str, is_output=True, is_path=True)),
        (OutputPath("Bool"), Meaning(bool, is_output=True, is_path=True)),
        (OutputPath("JsonObject"), Meaning(dict, is_output=True, is_path=True)),
        (OutputPath(Model), Meaning(Model, True, is_output=True, is_path=True)),
        (OutputPath(int), Meaning(int, is_output=True, is_path=True)),
        ("'int'", Meaning(int)),
        ("'Input[\"Dataset\"]'", Meaning(Dataset, True)),
        ("Optional['int']", Meaning(int, optional=True)),
        ("OutputPath(str)", Meaning(str, is_output=True, is_path=True)),
    ],
    ids=lambda value: re.sub(r" at 0x\w+", "", str(value)),
)
def test_an_annotation_says_what_the_argument_is(annotation, means):
    assert meaning(annotation, globals()) == means


def test_an_unknown_name_in_a_string_is_the_callers_to_report():
    with pytest.raises(NameError):
        meaning("Input[Unknown]", globals())
