"""The script of a Python step: what `script.source` of its template holds.

It is the description of the step (with Argo's variables where values and paths belong), the user's source,
and three lines that unpack `prelude` and the executor from a parameter of the Workflow and start them. So the
two stand once in the manifest, whatever the number of components, and in each pod.
"""

from __future__ import annotations

import base64
import json
import zlib
from functools import cache
from importlib import resources
from typing import Any

from kfp_jupyter.executor import program
from kfp_jupyter.model.component import Component, PythonStep
from kfp_jupyter.model.types import ArtifactType

PROGRAM_PARAMETER = "kfp-jupyter-program"
"""The Workflow's parameter that holds prelude and executor; no pipeline's parameter has a dash."""

OVERFLOW = "executor-output"
"""The output artifact with the whole ExecutorOutput of a step whose metadata had to be shortened."""

_START = """\
prelude, executor = json.loads(zlib.decompress(base64.b64decode("{{workflow.parameters.%s}}")))
exec(compile(prelude, "kfp_jupyter_prelude.py", "exec"))
run(STEP, SOURCE, executor)
"""


@cache
def packed_program() -> str:
    """Return prelude and executor, compressed and in base64, about 14 kB."""
    prelude = resources.files("kfp_jupyter.engines.argo").joinpath("prelude.py").read_text(encoding="utf-8")
    return base64.b64encode(zlib.compress(json.dumps([prelude, program()]).encode(), 9)).decode("ascii")


def record_parameter(artifact: str) -> str:
    """Return the name of the parameter that carries an artifact's type, place and metadata."""
    return f"{artifact}-artifact"


def script(component: Component, step: PythonStep, key_prefix: str, artifact_root: str) -> str:
    """Return the script of a component's step.

    Args:
        component: Its interface.
        step: Its source.
        key_prefix: The beginning of its output artifacts' keys in the store; may hold Argo's variables.
        artifact_root: The URI that keys begin at, such as `s3://bucket`; empty if unknown.
    """
    parameters = [spec.name for spec in component.inputs if not isinstance(spec.type, ArtifactType)]
    artifacts = [spec.name for spec in component.inputs if isinstance(spec.type, ArtifactType)]
    outputs = [spec.name for spec in component.outputs if not isinstance(spec.type, ArtifactType)]
    made = {spec.name: spec.type for spec in component.outputs if isinstance(spec.type, ArtifactType)}
    root = f"{artifact_root.rstrip('/')}/" if artifact_root else ""
    entries = [
        _entry("function", repr(step.function)),
        _entry("packages", repr(list(step.packages))),
        _entry("index_urls", repr(list(step.pip_index_urls))),
        _entry("trusted_hosts", repr(list(step.pip_trusted_hosts))),
        _table("parameters", {name: _filled(f"inputs.parameters.{name}") for name in parameters}),
        _table("artifacts", {name: _dict(_input_artifact(name)) for name in artifacts}),
        _table("outputs", {name: _filled(f"outputs.parameters.{name}.path") for name in outputs}),
        _table(
            "output_artifacts",
            {name: _dict(_output_artifact(name, type_, root + key_prefix)) for name, type_ in made.items()},
        ),
        _entry("overflow", _filled(f"outputs.artifacts.{OVERFLOW}.path") if made else "''"),
    ]
    head = f"# The step {component.name}: its source, and what it is given.\nimport base64, json, zlib\n"
    return f"{head}{_source(step.source.text)}STEP = {{\n{''.join(entries)}}}\n{_START % PROGRAM_PARAMETER}"


def _input_artifact(name: str) -> dict[str, str]:
    return {
        "path": _filled(f"inputs.artifacts.{name}.path"),
        "record": _filled(f"inputs.parameters.{record_parameter(name)}"),
    }


def _output_artifact(name: str, type_: ArtifactType, place: str) -> dict[str, str]:
    schema: dict[str, Any] = {"schemaTitle": type_.schema_title, "schemaVersion": type_.schema_version}
    return {
        "path": _filled(f"outputs.artifacts.{name}.path"),
        "uri": repr(f"{place}/{name}"),
        "type": repr(schema),
        "record": _filled(f"outputs.parameters.{record_parameter(name)}.path"),
    }


def _source(text: str) -> str:
    """Return the user's text as a literal without `{{`, line by line so that people can read it."""
    lines = "".join(f"    {line!r}\n" for line in text.splitlines(keepends=True))
    return "SOURCE = (\n{}    ''\n)\n".format(lines.replace("{{", "{\\x7b"))


def _filled(variable: str) -> str:
    return f"r'''{{{{{variable}}}}}'''"


def _dict(entries: dict[str, str]) -> str:
    return "{ " + ", ".join(f"{key!r}: {value}" for key, value in entries.items()) + " }"


def _entry(key: str, value: str) -> str:
    return f"    {key!r}: {value},\n"


def _table(key: str, rows: dict[str, str]) -> str:
    if not rows:
        return _entry(key, "{}")
    return (
        f"    {key!r}: {{\n"
        + "".join(f"    {_entry(name, value)}" for name, value in rows.items())
        + "    },\n"
    )
