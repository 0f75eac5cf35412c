"""One program, compiled by both."""

from __future__ import annotations

import importlib.util
import re
import sys
import tempfile
from itertools import count, islice
from pathlib import Path
from typing import Any

from kfp_jupyter.compiler import Compiler
from kfp_jupyter.errors import KfpJupyterError
from tests.conformance.comparison import differences
from tests.differential.kfp_compiler import KfpCompiler
from tests.differential.references import dangling
from tests.dsl.make_goldens import compared, expanded

BEYOND = {
    "is not a legal Python variable name": "loops over dicts with any keys",
    "Cannot iterate over a single parameter": "loops over an item that may be a list: its hint does not say",
    "component_input_parameter: .* not found": "values of outer loops in groups that loop again",
    "'NoneType' object cannot be interpreted as an integer": "items that are lists, inside other values",
    "^KeyError: 'condition": "one value chosen from branches, given out twice",
    "dsl.OneOf does not support string interpolation": "values chosen from branches inside texts",
}
"""What KFP refuses, by a pattern of its message, and is compiled here."""

_numbers = count()


def compiled_here(file: Path) -> str:
    """Return the document of a file's `compiled`, with `kfp` meaning this package.

    Raises:
        KfpJupyterError: It is refused.
    """
    name = f"differential_{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
        target = file.with_suffix(".yaml")
        Compiler().compile(module.compiled, target, runtime="kfp")
    finally:
        del sys.modules[name]
    return target.read_text(encoding="utf-8")


def compare(program: str, theirs: KfpCompiler) -> tuple[str, str]:
    """Return how a program fares: an outcome, and what is wrong if it is `different`.

    Outcomes are `equal`; `refused` by both; `beyond` KFP, which refuses it; `fault` where KFP writes a
    document that refers to what is not there, or is no YAML; `different`. Ours must always be whole.
    Where KFP numbers components by the order of a hash map, their names are not compared.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, f"program_{next(_numbers)}.py")
        file.write_text(program, encoding="utf-8")
        answer = theirs.answer(file)
        refused = answer.get("refused", "")
        try:
            ours = compiled_here(file)
        except KfpJupyterError as error:
            if refused:
                return "refused", ""
            is_fault = _is_broken(answer["compiled"])
            return ("fault", "") if is_fault else ("different", f"only refused here: {error}")
    given = compared(ours)
    lost = "; ".join(dangling(given))
    if lost:
        return "different", f"what we write refers to nothing: {lost}"
    if refused:
        known = any(re.search(pattern, refused) for pattern in BEYOND)
        return ("beyond", "") if known else ("different", f"only refused by kfp: {refused}")
    if _is_broken(answer["compiled"]):
        return "fault", ""
    expected = compared(answer["compiled"])
    held: tuple[Any, Any] = dict(enumerate(expected)), dict(enumerate(given))
    if expected != given and program.count("@dsl.pipeline") > 1:
        held = expanded(expected), expanded(given)
    parts = "; ".join(islice(differences(*held), 3))
    return ("different", parts) if parts else ("equal", "")


def _is_broken(text: str) -> bool:
    import yaml

    try:
        return any(dangling(compared(text)))
    except yaml.YAMLError:
        # A default with a line break ends the comment that it stands in.
        return True
