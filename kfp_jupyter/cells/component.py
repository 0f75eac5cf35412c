"""A function, or a cell with one, as a component.

The source of a component is a first fragment of ours, which offers the names of KFP's authoring modules to
the code as KFP does, and then the user's own text with the lines it has in its cell or file.
"""

from __future__ import annotations
import __future__

import ast
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from kfp_jupyter.cells.definition import Definition, check_returned, find_function
from kfp_jupyter.cells.errors import SourceNotFoundError
from kfp_jupyter.cells.finding import ordered
from kfp_jupyter.cells.interface import read_interface
from kfp_jupyter.cells.origin import function_fragment, whole_lines
from kfp_jupyter.cells.self_contained import SelfContained, Tell, self_contained
from kfp_jupyter.cells.stand_in import stand_in
from kfp_jupyter.cells.surroundings import (
    Surroundings,
    function_in_cells,
    function_surroundings,
    notebook_surroundings,
)
from kfp_jupyter.model.component import PREAMBLE, Component, Fragment, PythonStep, Source
from kfp_jupyter.model.lines import with_ends

KFP_BASE_IMAGE = "python:3.11"
"""The image that KFP 2.17 takes for a component without one."""

_defaults = {"image": ""}

_IMPORTS = """\
import kfp, kfp_jupyter
from kfp_jupyter import dsl
from kfp_jupyter.dsl import *
from typing import *
"""


def default_base_image() -> str:
    """Return the official Python image of this kernel's minor version, `python:3.12`; or KFP's default."""
    return _defaults["image"] or f"python:{sys.version_info.major}.{sys.version_info.minor}"


def kebab_case(name: str) -> str:
    """Return a name in KFP's spelling, which Kubernetes takes too: `Train_Model` becomes `train-model`."""
    return re.sub("[^0-9a-z]+", "-", name.lower()).strip("-")


def authoring_fragment() -> Fragment:
    """Return the imports that offer the names of KFP's authoring modules to a step's source."""
    return Fragment(_IMPORTS, PREAMBLE)


def follow_kfp(follow: bool) -> None:
    """Take KFP's default image instead of this kernel's Python version, as code written for KFP expects."""
    _defaults["image"] = KFP_BASE_IMAGE if follow else ""


def component_from_function(
    function: Callable[..., Any],
    source: Source | None = None,
    *,
    base_image: str | None = None,
    packages: Iterable[str] = (),
    pip_index_urls: Iterable[str] = (),
    pip_trusted_hosts: Iterable[str] = (),
    name: str | None = None,
    in_image: bool = False,
    tell: Tell | None = None,
) -> Component:
    """Return the component that a function is, with what the function uses from around it.

    Args:
        function: The function, with type hints.
        source: Module text that defines it; None takes the function's own text.
        base_image: The image of its steps; None takes the official Python image of this kernel's version.
        packages: Requirements to install before a step runs; `auto` stands for what its imports need.
        pip_index_urls: Package indexes for them; empty means pip's own settings.
        pip_trusted_hosts: Hosts that pip shall trust without TLS.
        name: The component's name; None takes the function's.
        in_image: True if the function stands in its image with all that it uses.
        tell: Gets the warnings.

    Raises:
        ComponentError: It cannot become a component; the message says where and why.
    """
    if source is None:
        source = with_functions(function, ())
    image = base_image or default_base_image()
    code: SelfContained | Definition
    if in_image:
        code = find_function(source, function.__name__)
    else:
        around = function_surroundings(function)
        code = self_contained(source, function.__name__, around, image, tuple(packages))
    return _component(function, code, name, image, packages, pip_index_urls, pip_trusted_hosts, tell)


def with_functions(function: Callable[..., Any], helpers: Iterable[Callable[..., Any]]) -> Source:
    """Return the source of a function after the functions that it calls.

    Raises:
        ComponentError: One of them is no function, or its text was not kept.
    """
    try:
        own = function_fragment(function)
    except SourceNotFoundError:
        # `%%time` and its like run a cell under a name of their own; the cell's text was kept all the same.
        found = function_in_cells(function)
        if found is None:
            raise
        own = found
    before = tuple(function_fragment(helper) for helper in helpers)
    # Where hints are not evaluated, they may not be evaluated in a step either, whose Python may be another.
    postponed = function.__code__.co_flags & __future__.annotations.compiler_flag
    imports = "from __future__ import annotations\n" + _IMPORTS if postponed else _IMPORTS
    return Source((Fragment(imports, PREAMBLE), *before, own))


def component_from_cell(
    text: str,
    first_line: int,
    file: str,
    namespace: Mapping[str, Any],
    name: str | None = None,
    *,
    base_image: str | None = None,
    packages: Iterable[str] = (),
    pip_index_urls: Iterable[str] = (),
    pip_trusted_hosts: Iterable[str] = (),
    around: Surroundings | None = None,
    tell: Tell | None = None,
) -> Component:
    """Return the component that a cell's function is; the whole text becomes the source of its steps.

    What the text uses from other cells is put before it.

    Nothing of the cell is run but the statements that the function's hints and defaults need, and these in a
    copy of `namespace`. The function's own name stands in the component's `implementation.function`.

    Args:
        text: The cell without its magic line.
        first_line: The line of the cell (from 1) that `text` begins at.
        file: What the cell is called: `Cell In[3]`.
        namespace: The notebook's names.
        name: The function's name, in Python's or KFP's spelling; None takes the last function.
        base_image: See `component_from_function`, as for the rest.
        packages: Requirements to install before a step runs.
        pip_index_urls: Package indexes for them.
        pip_trusted_hosts: Hosts that pip shall trust without TLS.
        around: What the cell can see; None takes `namespace` and the cells that this kernel ran.
        tell: Gets the warnings.

    Raises:
        ComponentError: It cannot become a component; the message says where and why.
    """
    source = _with_preamble(Fragment(whole_lines(text), file, first_line))
    image = base_image or default_base_image()
    function_name = name.replace("-", "_") if name else None
    around = around or notebook_surroundings(namespace)
    code = self_contained(source, function_name, around, image, tuple(packages))
    function = stand_in(code.definition, namespace)
    return _component(function, code, None, image, packages, pip_index_urls, pip_trusted_hosts, tell)


def users_text(source: Source) -> tuple[str, str]:
    """Return the imports from `__future__` of a source, and the rest of it without what we put before it."""
    futures, kept = "", ""
    for fragment in source.fragments:
        for line in with_ends(fragment.text) if fragment.file == PREAMBLE else ():
            if line.startswith("from __future__"):
                futures += line
            elif line not in _IMPORTS.splitlines(keepends=True):
                kept += line
        kept += fragment.text if fragment.file != PREAMBLE else ""
    return futures, kept


def _component(
    function: Callable[..., Any],
    code: SelfContained | Definition,
    name: str | None,
    image: str,
    packages: Iterable[str],
    pip_index_urls: Iterable[str],
    pip_trusted_hosts: Iterable[str],
    tell: Tell | None,
) -> Component:
    definition = code.definition if isinstance(code, SelfContained) else code
    interface = read_interface(function, definition.place)
    check_returned(definition)
    step = PythonStep(
        definition.source,
        definition.node.name,
        image,
        code.packages if isinstance(code, SelfContained) else tuple(packages),
        tuple(pip_index_urls),
        tuple(pip_trusted_hosts),
    )
    made = Component(
        kebab_case(name or definition.node.name) or "task",
        interface.inputs,
        interface.outputs,
        step,
        interface.description,
    )
    if tell is not None and isinstance(code, SelfContained):
        for finding in ordered(code.check(made)):
            tell(finding)
    return made


def _with_preamble(fragment: Fragment) -> Source:
    """Put the authoring names before the user's text, and before these its imports from `__future__`."""
    lines = with_ends(fragment.text)
    futures: list[str] = []
    for first, last in _future_imports(fragment.text):
        futures.extend(lines[first - 1 : last])
        lines[first - 1 : last] = ["\n"] * (last - first + 1)
    preamble = Fragment("".join(futures) + _IMPORTS, PREAMBLE)
    return Source((preamble, Fragment("".join(lines), fragment.file, fragment.first_line)))


def _future_imports(text: str) -> list[tuple[int, int]]:
    """Return the first and last lines of the imports from `__future__`; none if the text is not Python."""
    if "__future__" not in text:
        return []
    try:
        module = ast.parse(text)
    except SyntaxError:
        return []
    imports = [
        node for node in module.body if isinstance(node, ast.ImportFrom) and node.module == "__future__"
    ]
    return [(node.lineno, node.end_lineno or node.lineno) for node in imports]
