"""The source of a step that was written as a cell: a component's function around the unchanged body.

    def split(*, raw: Input[Dataset], frac: float = 0.2, train: Output[Dataset]): return …(…, r'''
    <the cell's body, line by line as it was written>
    ''')

The `def` stands where the magic's line was, so line n of the cell is line n of this fragment, and what goes
wrong with an input or output points at the line that declares it. Before it stands, compressed, the program
that loads, runs and stores (`kfp_jupyter.executor.cell`). An output that has the name of an input cannot be
an argument too; such outputs are returned.
"""

from __future__ import annotations

import base64
import textwrap
import zlib
from collections.abc import Iterable
from functools import cache

from kfp_jupyter.executor.artifacts import ARTIFACT_CLASSES
from kfp_jupyter.executor.program import cell_program
from kfp_jupyter.model.component import Fragment, InputSpec, OutputSpec
from kfp_jupyter.model.types import ArtifactType, ValueType

RUNTIME = "kfp_jupyter (inputs and outputs of cells)"
"""The `file` of the fragment with our program; not `PREAMBLE`, which KFP's own runtime leaves out."""

_QUOTES = ("'''", '"""')

_RUNTIME = """\
import base64, zlib
_kfp_jupyter = {"__name__": "kfp_jupyter_cell"}
exec(compile(zlib.decompress(base64.b64decode('''
%s
''')), "kfp_jupyter_cell.py", "exec"), _kfp_jupyter)
"""


def cell_fragment(
    function: str,
    inputs: Iterable[InputSpec],
    outputs: Iterable[OutputSpec],
    body: str,
    file: str,
    first_line: int,
) -> Fragment:
    """Return the function of a cell's step.

    Args:
        function: Its name.
        inputs: The inputs; optional ones have defaults.
        outputs: The outputs.
        body: The cell without its magic line.
        file: What the cell is called.
        first_line: The line of the cell that the body begins at; at least 2.
    """
    inputs, outputs = list(inputs), list(outputs)
    taken = {spec.name for spec in inputs}
    handed = [spec for spec in outputs if spec.name not in taken]
    returned = [spec for spec in outputs if spec.name in taken]
    arguments = [f"{spec.name}: {_given(spec.type)}{_default(spec)}" for spec in inputs]
    arguments += [f"{spec.name}: {_handed(spec.type)}" for spec in handed]
    head = f"def {function}({', '.join(['*', *arguments] if arguments else [])}){_returns(returned)}: "
    makes = "".join(f"{spec.name!r}: {_maker(spec)}, " for spec in returned)
    names = repr(tuple(spec.name for spec in handed))
    call = f"return _kfp_jupyter['run_cell'](globals(), locals(), {names}, {{{makes}}}, "
    return Fragment(f"{head}{call}{_literal(body)})\n", file, first_line - 1)


@cache
def runtime_fragment() -> Fragment:
    """Return the program that runs cells, about 4 kB."""
    packed = base64.b64encode(zlib.compress(cell_program().encode(), 9)).decode("ascii")
    return Fragment(_RUNTIME % "\n".join(textwrap.wrap(packed, 100)), RUNTIME)


def _given(type_: ValueType) -> str:
    return f"Input[{_class(type_)}]" if isinstance(type_, ArtifactType) else type_.python_name


def _default(spec: InputSpec) -> str:
    return f" = {spec.default!r}" if spec.optional else ""


def _handed(type_: ValueType) -> str:
    if isinstance(type_, ArtifactType):
        return f"Output[{_class(type_)}]"
    return f"OutputPath({type_.python_name})"


def _class(type_: ArtifactType) -> str:
    """Return the class that a step knows it by; the engine tells it what schema an unknown one has."""
    known = {held.schema_title: held.__name__ for held in ARTIFACT_CLASSES}
    return known.get(type_.schema_title, "Artifact")


def _returns(returned: list[OutputSpec]) -> str:
    if not returned:
        return ""
    types = [
        _class(spec.type) if isinstance(spec.type, ArtifactType) else spec.type.python_name
        for spec in returned
    ]
    fields = ", ".join(f"({spec.name!r}, {type_})" for spec, type_ in zip(returned, types, strict=True))
    return f" -> NamedTuple('Outputs', [{fields}])"


def _maker(spec: OutputSpec) -> str:
    if not isinstance(spec.type, ArtifactType):
        return "None"
    return f"lambda: {_class(spec.type)}(uri=get_uri({spec.name!r}))"


def _literal(body: str) -> str:
    """Return the body, after a newline, as literals that have its lines.

    Its text is unchanged; only a line that holds both kinds of triple quotes has to be escaped.
    """
    pieces: list[tuple[str, list[str]]] = []
    for line in ["\n", *(f"{held}\n" for held in body.removesuffix("\n").split("\n"))]:
        able = [quotes for quotes in _QUOTES if quotes not in line]
        before = pieces[-1][0] if pieces else ""
        quotes = before if before in able else able[0] if able else ""
        if quotes and quotes == before:
            pieces[-1][1].append(line)
        else:
            pieces.append((quotes, [line]))
    return "".join(
        f"r{quotes}{''.join(lines)}{quotes}" if quotes else f"{lines[0]!r}\n" for quotes, lines in pieces
    )
