"""What a `%%component` or `%%pipeline` cell defines, without IPython: the magics and the CLI both come here.

A cell's body is plain Python, compiled under the file name that the caller gives and with the lines it has in
its cell (line 1 is the magic), so that tracebacks and messages point where the user looks. A component's body
runs in the notebook's own names, as any cell does. The body of a pipeline runs in a copy of them: what it
assigns are the wires of a drawing, and none of the notebook's business.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager, suppress
from typing import Any

from kfp_jupyter.cells.cell_form import FIRST_LINE
from kfp_jupyter.cells.component import component_from_cell
from kfp_jupyter.cells.data_flow import data_flow
from kfp_jupyter.cells.finding import Finding, Where
from kfp_jupyter.cells.hints import authoring_names
from kfp_jupyter.cells.history import History
from kfp_jupyter.cells.ledger import Ledger, StepCell
from kfp_jupyter.cells.origin import place_name
from kfp_jupyter.cells.signature import PipelineOptions, parse_component_line, parse_pipeline_line
from kfp_jupyter.cells.surroundings import notebook_surroundings
from kfp_jupyter.cells.unresolved import undefined
from kfp_jupyter.dsl import PipelineBuilder, PipelineFunction, PythonComponent
from kfp_jupyter.dsl import pipeline as pipeline_of
from kfp_jupyter.dsl.cell_pipeline import pipeline_of_cells
from kfp_jupyter.errors import KfpJupyterError
from kfp_jupyter.model.check import ArgumentError, unknown_name
from kfp_jupyter.model.component import PythonStep
from kfp_jupyter.model.lines import lines_of
from kfp_jupyter.model.pipeline import Pipeline
from kfp_jupyter.model.types import Json, ParameterType
from kfp_jupyter.notebook.define_cell import Cell, define_cell, is_step


class DefinitionError(KfpJupyterError):
    """A cell that defines no component or pipeline."""


def define_component(
    line: str,
    body: str,
    file: str,
    namespace: dict[str, Any],
    *,
    history: History | None = None,
    ledger: Ledger | None = None,
    cell_id: str = "",
    text: str = "",
) -> PythonComponent:
    """Make the component of a `%%component` cell and bind it under its name.

    Nothing is bound if the cell cannot become a component.

    Args:
        line: What follows `%%component`.
        body: The cell without its first line.
        file: The file name to compile it under; `place_name` turns it into the cell's name for people.
        namespace: The notebook's names.
        history: The notebook's cells, where they are only read; None takes those that this kernel ran.
        ledger: The notebook's component cells, which it joins.
        cell_id: The cell's id; empty if it has none.
        text: The whole cell's text.

    Raises:
        KfpJupyterError: The line or the code is wrong; the message says where and why.
        Exception: What the user's own code raised while it ran.
    """
    options = parse_component_line(line)
    ledger = ledger if ledger is not None else Ledger()
    if options.interface or is_step(body, options.name):
        cell = Cell(body, file, cell_id, text or f"%%component {line}\n{body}")
        return define_cell(options, cell, namespace, ledger, history)
    findings: list[Finding] = []
    model = component_from_cell(
        body,
        FIRST_LINE,
        place_name(file),
        namespace,
        options.name,
        base_image=options.base_image,
        packages=options.packages,
        pip_index_urls=options.pip_index_urls,
        around=notebook_surroundings(namespace, history),
        tell=findings.append,
    )
    name = model.implementation.function if isinstance(model.implementation, PythonStep) else model.name
    function = None
    with _kept(namespace, name):
        try:
            _run(body, file, namespace)
            function = namespace[name]
        except ModuleNotFoundError:
            # The step installs its packages; the notebook need not have them.
            if not options.packages and history is None:
                raise
        except NameError:
            # Where other cells were not run, what the step brings along is not here.
            if history is None:
                raise
    if isinstance(function, PythonComponent):
        function = function.python_func
    made = PythonComponent(model, function, options.settings, findings)
    namespace[name] = made
    place = place_name(file)
    text = text or f"%%component {line}\n{body}"
    settings, after = made.defaults, options.after
    step_id = cell_id or f"component {name}"
    ledger.add_step(StepCell(step_id, place, model, text, settings=settings, after=after))
    return made


def define_pipeline(
    line: str,
    body: str,
    file: str,
    namespace: dict[str, Any],
    default_name: str = "",
    ledger: Ledger | None = None,
    history: History | None = None,
) -> tuple[PipelineFunction, PipelineOptions]:
    """Make the pipeline of a `%%pipeline` cell and bind it under its name.

    The body is one function, whose arguments are the pipeline's parameters and whose return value gives its
    outputs; or calls of components, with the parameters on the line: `NAME(lr: float = 0.1)`; or, with
    `--auto`, nothing: then the notebook's component cells are linked by their data.

    Args:
        line: What follows `%%pipeline`.
        body: The cell without its first line.
        file: The file name to compile it under.
        namespace: The notebook's names.
        default_name: The name of calls without one; empty means `pipeline`.
        ledger: The notebook's component cells, for `--auto`.
        history: The notebook's cells, where they are only read; None takes those that this kernel ran.

    Returns:
        The pipeline, and what the line says besides.

    Raises:
        KfpJupyterError: The line or the code is wrong; the message says where and why.
        Exception: What the user's own code raised while it ran.
    """
    options = parse_pipeline_line(line)
    module = _parsed(body, file)
    function = None if options.auto else _only_function(module)
    try:
        if options.auto:
            made = _from_data_flow(module, file, namespace, options, default_name or "pipeline", ledger)
        elif function is not None:
            made = _from_function(function, body, file, namespace, options)
        else:
            made = _from_calls(body, file, namespace, options, default_name or "pipeline")
    except NameError as error:
        if history is not None:
            raise
        raise (_undefined(error, file, namespace) or error) from None
    name = (options.name or (function.name if function else made.name)).replace("-", "_")
    held = namespace.get(name)
    if isinstance(held, PythonComponent):
        raise DefinitionError(
            f"The pipeline is called {name!r}, and so is a component.",
            where=f"{place_name(file)}, line 1",
            remedy="Give the pipeline another name, or the component could not be used any more.",
        )
    # A name that nobody wrote must not take the place of something else.
    if options.name or function or held is None or isinstance(held, PipelineFunction):
        namespace[name] = made
    return made, options


def _undefined(error: NameError, file: str, namespace: dict[str, Any]) -> DefinitionError | None:
    """Return what is said of a name in a pipeline cell that nothing defines, often since its cell failed."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    if last is None or last.tb_frame.f_code.co_filename != file or type(error) is not NameError:
        return None
    where = Where(place_name(file), last.tb_lineno)
    found = undefined(error.name or "", where, notebook_surroundings(namespace), ())
    return DefinitionError(found.what, where=str(where), remedy=found.remedy)


def argument_values(pipeline: Pipeline, texts: Mapping[str, Json]) -> dict[str, Json]:
    """Return the values of parameters given as text (`-p lr=0.2`), each read by its parameter's type.

    Raises:
        ArgumentError: A parameter is unknown, or its text is no value of its type.
    """
    specs = {spec.name: spec for spec in pipeline.inputs}
    values: dict[str, Json] = {}
    for name, text in texts.items():
        if name not in specs:
            raise ArgumentError(
                f"The pipeline has no parameter {name!r}.",
                where=f"pipeline {pipeline.name}",
                remedy=unknown_name("parameters", name, specs),
            )
        try:
            values[name] = _value(specs[name].type, text)
        except ValueError:
            raise ArgumentError(
                f"The parameter {name!r} cannot be {text!r}.",
                where=f"pipeline {pipeline.name}",
                remedy=f"Give a value of type {specs[name].type.python_name}.",
            ) from None
    return values


def _value(type_: Any, text: Json) -> Json:
    if type_ is ParameterType.STRING or not isinstance(text, str):
        return text
    # JSON first, as a form or a shell writes it (`true`), then Python (`True`, `{'a': 1}`).
    with suppress(ValueError):
        return json.loads(text)
    with suppress(SyntaxError):
        return ast.literal_eval(text)
    raise ValueError(text)


def _parsed(body: str, file: str) -> ast.Module:
    try:
        return ast.parse(body)
    except SyntaxError as error:
        raise _syntax_error(error, body, file, (error.lineno or 1) + FIRST_LINE - 1) from None


def _syntax_error(error: SyntaxError, body: str, file: str, line: int) -> DefinitionError:
    lines = lines_of(body)
    text = lines[line - FIRST_LINE].strip() if 0 <= line - FIRST_LINE < len(lines) else ""
    remedy = "Correct this line and run the cell again."
    if text.startswith(("!", "%")):
        remedy = "The body of a pipeline is plain Python: move lines with `!` or `%` to another cell."
    if "'return' outside" in str(error.msg):
        remedy = "Only a function returns: put the calls into `def NAME(…) -> …:`, or take the `return` away."
    return DefinitionError(
        f"This is not valid Python ({error.msg}): `{text}`.",
        where=f"{place_name(file)}, line {line}",
        remedy=remedy,
    )


def _only_function(module: ast.Module) -> ast.FunctionDef | None:
    """Return the function that the body consists of, if it has one and calls nothing beside it."""
    functions = [node for node in module.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    others = [node for node in module.body if node not in functions]
    if len(functions) != 1 or any(isinstance(inner, ast.Call) for node in others for inner in ast.walk(node)):
        return None
    only = functions[0]
    return only if isinstance(only, ast.FunctionDef) else None


def _from_function(
    function: ast.FunctionDef, body: str, file: str, namespace: dict[str, Any], options: PipelineOptions
) -> PipelineFunction:
    if options.inputs is not None:
        raise DefinitionError(
            "The parameters stand twice: on the magic's line and at the function.",
            where=f"{place_name(file)}, line {function.lineno + FIRST_LINE - 1}",
            remedy=f"Write them at the function only: `%%pipeline {options.name}`.",
        )
    with _kept(namespace, function.name):
        _run(body, file, namespace)
        held = namespace[function.name]
        made = _traced(held, options)
        namespace[function.name] = made
    return made


def _traced(held: Any, options: PipelineOptions) -> PipelineFunction:
    """Return the pipeline of a function; one that KFP's decorator has traced already yields to the line."""
    name, description = options.name, options.description or None
    if isinstance(held, PipelineFunction):
        if held.pipeline_func is None or not (name or description):
            return held
        name, description = name or held.name, description or held.description
        held = held.pipeline_func
    return pipeline_of(name=name, description=description)(held)


def _from_calls(
    body: str, file: str, namespace: dict[str, Any], options: PipelineOptions, default_name: str
) -> PipelineFunction:
    builder = PipelineBuilder(
        options.name or default_name, options.inputs or (), description=options.description
    )
    with builder:
        _run(body, file, {**namespace, **builder.inputs})
    return PipelineFunction(builder.build(), findings=builder.findings)


def _from_data_flow(
    module: ast.Module,
    file: str,
    namespace: dict[str, Any],
    options: PipelineOptions,
    default_name: str,
    ledger: Ledger | None,
) -> PipelineFunction:
    if module.body or options.inputs is not None:
        raise DefinitionError(
            "With `--auto` the cells are linked by their data, so there is nothing to write.",
            where=f"{place_name(file)}, line {module.body[0].lineno + FIRST_LINE - 1 if module.body else 1}",
            remedy="Leave the body empty, and the parameters away; or take `--auto` away.",
        )
    flow = data_flow(ledger or Ledger(), namespace)
    return pipeline_of_cells(flow, options.name or default_name, options.description)


def _run(body: str, file: str, namespace: dict[str, Any]) -> None:
    try:
        code = compile("\n" * (FIRST_LINE - 1) + body, file, "exec", dont_inherit=True)
    except SyntaxError as error:
        # What is only seen when compiling: a `return` or `await` outside of a function.
        raise _syntax_error(error, body, file, error.lineno or FIRST_LINE) from None
    exec(code, namespace, _Names(namespace))


class _Names(MutableMapping[str, Any]):
    """The notebook's names, and behind them KFP's for type hints, which a step knows too without imports."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        self._namespace = namespace
        self._known = authoring_names()

    def __getitem__(self, name: str) -> Any:
        return self._namespace[name] if name in self._namespace else self._known[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._namespace[name] = value

    def __delitem__(self, name: str) -> None:
        del self._namespace[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._namespace)

    def __len__(self) -> int:
        return len(self._namespace)


@contextmanager
def _kept(namespace: dict[str, Any], name: str) -> Iterator[None]:
    """Leave a name as it was if the cell fails: what worked before goes on working."""
    missing = object()
    before = namespace.get(name, missing)
    try:
        yield
    except BaseException:
        if before is missing:
            namespace.pop(name, None)
        else:
            namespace[name] = before
        raise
