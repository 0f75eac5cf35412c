"""A plain notebook as one step, without a function around it.

Its inputs are what its cell with the tag `parameters` assigns; it gives out the executed notebook, and a page
of it to look at, which are written also when a cell fails. The notebook travels inside the step, without its
outputs. It runs in the step's working directory: on this machine that is the one that the run was started in,
so files beside a notebook are found.
"""

from __future__ import annotations

import inspect
import json
import re
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kfp_jupyter.cells.hints import authoring_names
from kfp_jupyter.cells.notebook import NotebookError, load_notebook
from kfp_jupyter.cells.notebook_parameters import assigned_parameters
from kfp_jupyter.cells.origin import enter_text
from kfp_jupyter.dsl.component_decorator import python_component
from kfp_jupyter.dsl.embedded_artifact import FILE, unpacking
from kfp_jupyter.dsl.notebook_component import PACKAGES
from kfp_jupyter.dsl.notebook_runner import run_notebook_file
from kfp_jupyter.dsl.pipeline_builder import PipelineBuilder
from kfp_jupyter.dsl.python_component import PythonComponent
from kfp_jupyter.model.component import Fragment, InputSpec
from kfp_jupyter.model.pipeline import Pipeline

PARAMETERS = "parameters"
"""The tag of the cell whose assignments are the notebook's inputs."""

_FUNCTION = """\
def {name}(executed_notebook: Output[Artifact], page: Output[HTML]{inputs}):
    \"\"\"Run the notebook {file}.\"\"\"
    import os

    given = {{{given}}}
    executed_notebook.metadata["notebook"] = {file!r}
    run_notebook_file(__KFP_EMBEDDED_ASSET_FILE, os.getcwd(), given, executed_notebook.path, page.path)
"""


def notebook_step(
    notebook_path: str | Path,
    *,
    name: str = "",
    base_image: str | None = None,
    packages_to_install: Iterable[str] | None = None,
) -> PythonComponent:
    """Return a component that runs a notebook from its first cell to its last.

    Args:
        notebook_path: The notebook's file.
        name: The component's name; the file's if left out.
        base_image: The image of its steps; by default the official Python image of this kernel's version.
        packages_to_install: What its cells need; what running a notebook takes is added.

    Raises:
        NotebookError: The file is no notebook, or its parameters cannot be read.
        ComponentError: It is too large.
    """
    path = Path(notebook_path)
    function = _identifier(name or path.stem)
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder) / path.name
        bare.write_text(json.dumps(_without_outputs(path)), encoding="utf-8")
        unpack = unpacking(bare)
    inputs = _inputs(path)
    text = _FUNCTION.format(
        name=function,
        file=path.name,
        inputs="".join(f", {spec.name}: {spec.type.python_name} = {spec.default!r}" for spec in inputs),
        given=", ".join(f"{spec.name!r}: {spec.name}" for spec in inputs),
    )
    file = f"{path} as a step"
    enter_text(text, file)
    names: dict[str, Any] = dict(authoring_names())
    exec(compile(text, file, "exec", dont_inherit=True), names)
    return python_component(
        names[function],
        before=(Fragment(f"{unpack.text}\n{inspect.getsource(run_notebook_file)}\n", FILE),),
        base_image=base_image,
        packages_to_install=[*PACKAGES, "nbconvert>=7", *(packages_to_install or ())],
    )


def notebook_pipeline(notebook_path: str | Path, name: str = "") -> Pipeline:
    """Return the pipeline of one step that runs a notebook; its parameters are the notebook's.

    Raises:
        NotebookError: The file is no notebook, or its parameters cannot be read.
        ComponentError: It is too large.
    """
    step = notebook_step(notebook_path, name=name)
    with PipelineBuilder(step.name, _inputs(Path(notebook_path)), description=step.description) as builder:
        step.add_task(**builder.inputs)
    return builder.build()


def _inputs(path: Path) -> tuple[InputSpec, ...]:
    tagged = [cell for cell in load_notebook(path).cells if PARAMETERS in cell.tags]
    inputs = assigned_parameters(tagged[0].body, tagged[0].place(str(path))) if tagged else ()
    for spec in inputs:
        if spec.name in ("executed_notebook", "page"):
            raise NotebookError(
                f"The parameter {spec.name!r} is called like an output of the step.",
                where=tagged[0].place(str(path)),
                remedy="Give the parameter another name.",
            )
    return inputs


def _without_outputs(path: Path) -> Any:
    load_notebook(path)  # says what is wrong with the file
    content = json.loads(path.read_text(encoding="utf-8"))
    for cell in content["cells"]:
        if cell.get("cell_type") == "code":
            cell.update(outputs=[], execution_count=None)
    return content


def _identifier(name: str) -> str:
    made = re.sub(r"\W+", "_", name).strip("_").lower()
    return made if made[:1].isalpha() else f"notebook_{made}".rstrip("_")
