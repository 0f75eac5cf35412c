"""The command line of a Python step in KFP's format.

With the runtime `embedded` our executor stands in the command, compressed, and nothing is installed for it.
With `kfp` the step installs the KFP SDK and starts its executor, as components compiled by KFP do. Either way
the user's source stands in the command as readable text. A step that was read from a document keeps the
command that it had there.
"""

from __future__ import annotations

import ast
import base64
import re
import zlib
from functools import cache
from typing import Literal

from kfp_jupyter.executor import program
from kfp_jupyter.interchange.errors import InterchangeError
from kfp_jupyter.interchange.installation import install, installs_as_asked
from kfp_jupyter.model.component import PREAMBLE, PythonStep
from kfp_jupyter.model.lines import with_ends

Runtime = Literal["embedded", "kfp"]

KFP_VERSION = "2.17.0"
"""The version of the SDK that `runtime="kfp"` installs."""

# KFP's runner without Docker takes a step whose command names KFP's executor, and changes nothing in the text
# that comes after a word with "$program_path/ephemeral_component.py" and "$@".
_EMBEDDED = """\
# In the place of kfp.dsl.executor_main:
program_path=$(mktemp -d)
printf "%s" "$0" > "$program_path/ephemeral_component.py"
python3 -c 'import base64, sys, zlib
text = sys.argv[2].translate(dict(zip(b".,/:[", "{$<>&")))
open(sys.argv[1], "wb").write(zlib.decompress(base64.b85decode(text)))' "$program_path/executor.py" "$1"
shift
set -- --component_module_path "$program_path/ephemeral_component.py" "$@"
exec python3 -u "$program_path/executor.py" "$@"
"""

_KFP = """\
program_path=$(mktemp -d)
printf "%s" "$0" > "$program_path/ephemeral_component.py"
set -- --component_module_path "$program_path/ephemeral_component.py" "$@"
_KFP_RUNTIME=true python3 -m kfp.dsl.executor_main "$@"
"""

_KFP_IMPORTS = """\
import sys, kfp, kfp.dsl
sys.modules["kfp_jupyter"], sys.modules["kfp_jupyter.dsl"] = kfp, kfp.dsl
from kfp import dsl
from kfp.dsl import *
from typing import *
"""

SOURCE = "{source}"
"""The word of a step's `launcher` in whose place the source stands in its command."""


def command(step: PythonStep, runtime: Runtime) -> list[str]:
    """Return the words of a step's command; `arguments` are to follow them.

    Args:
        step: The step.
        runtime: What runs it, if the step does not say so itself.

    Raises:
        InterchangeError: KFP's own executor cannot run it.
    """
    if step.launcher and installs_as_asked(step):
        return [step.source.text if word == SOURCE else word for word in step.launcher]
    if runtime == "kfp":
        _refuse_what_only_ours_runs(step)
        sdk = [f"kfp=={KFP_VERSION}", "--no-deps"]
        return [*install(step, [list(step.packages), sdk]), "sh", "-ec", _KFP, _kfp_source(step)]
    run = ["sh", "-ec", _EMBEDDED, step.source.text, _compressed_executor()]
    return [*install(step, [list(step.packages)]), *run]


def arguments(step: PythonStep) -> list[str]:
    """Return the arguments of a step, with KFP's placeholder for the ExecutorInput."""
    return ["--executor_input", "{{$}}", "--function_to_execute", step.function]


def _refuse_what_only_ours_runs(step: PythonStep) -> None:
    """Refuse a function that KFP's executor would call and then not understand.

    Raises:
        InterchangeError: It is asynchronous, or returns a tuple, dataclass or TypedDict.
    """
    what = _only_ours(step.source.text, step.function)
    if what:
        raise InterchangeError(
            f"It {what}, which KFP's own executor cannot run.",
            where=f"component {step.function}",
            remedy='Write the pipeline with `runtime="embedded"`, or return a NamedTuple from a plain `def`.',
        )


@cache
def _only_ours(text: str, name: str) -> str:
    """Return what a function does that only our executor understands; empty if nothing."""
    # Reading Python takes longer than all else that is done for a task.
    if not any(word in text for word in ("async", "uple", "dataclass", "TypedDict")):
        return ""
    try:
        module = ast.parse(text)
    except SyntaxError:
        return ""  # Of a newer Python than this one.
    nodes = {
        held.name: held
        for held in ast.walk(module)
        if isinstance(held, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
    }
    function = nodes.get(name)
    if function is None or isinstance(function, ast.ClassDef):
        return ""
    returned = ast.unparse(function.returns).strip("'\"") if function.returns else ""
    returned_class = nodes.get(returned)
    if isinstance(function, ast.AsyncFunctionDef):
        return "is asynchronous"
    if re.match(r"(typing\.)?[Tt]uple\[", returned):
        return f"returns a tuple, `{returned}`"
    if isinstance(returned_class, ast.ClassDef):
        marks = [*returned_class.decorator_list, *returned_class.bases]
        if any(re.match(r"(\w+\.)?(dataclass|TypedDict)\b", ast.unparse(mark)) for mark in marks):
            return f"returns `{returned}`, whose fields are its outputs"
    return ""


def _kfp_source(step: PythonStep) -> str:
    """Return the source with KFP's imports in the place of ours."""
    own = "".join(held.text for held in step.source.fragments if held.file != PREAMBLE)
    future = "".join(
        line
        for held in step.source.fragments
        if held.file == PREAMBLE
        for line in with_ends(held.text)
        # KFP's executor reads hints as values, so they must be evaluated.
        if "__future__" in line and "annotations" not in line
    )
    return future + _KFP_IMPORTS + own


@cache
def _compressed_executor() -> str:
    """Return the executor in base 85, but for the characters that mean something on the way to the step.

    `{{` begins a placeholder of KFP, `$(` and `$$` are Kubernetes' own, and Go writes each of `<>&` in six.
    """
    text = base64.b85encode(zlib.compress(program().encode(), 9)).decode()
    return text.translate(str.maketrans("{$<>&", ".,/:["))
