"""A container component's command, with KFP's placeholders written as Argo's variables.

Placeholders: https://www.kubeflow.org/docs/components/pipelines/user-guides/components/container-components/.
Parameters travel as JSON (see `values`), a container wants bare text: a string is unpacked by an expression
of Argo's, every other type's JSON is the text that KFP gives too. What has no counterpart (conditional and
joined placeholders, the whole ExecutorInput, URIs) is an error before anything starts.
"""

from __future__ import annotations

import re
from typing import Any

from kfp_jupyter.engines.argo.errors import ManifestError
from kfp_jupyter.model.component import Component, ContainerStep
from kfp_jupyter.model.types import ParameterType

_PLACEHOLDER = re.compile(r"\{\{\$(.*?)\}\}")
_NAMED = re.compile(r"\.(inputs|outputs)\.(parameters|artifacts)\[(['\"])(.+?)\3\](?:\.(\w+))?")
_FORMS = {
    ("inputs", "artifacts", "path"): "{{{{inputs.artifacts.{name}.path}}}}",
    ("outputs", "artifacts", "path"): "{{{{outputs.artifacts.{name}.path}}}}",
    ("outputs", "parameters", "output_file"): "{{{{outputs.parameters.{name}.path}}}}",
}


def container(component: Component, step: ContainerStep) -> dict[str, Any]:
    """Return `command` and `args` of the container.

    Raises:
        ManifestError: There is no command, or a placeholder has no counterpart on Argo.
    """
    if not step.command:
        # Argo would have to ask the image's registry for it, with credentials that it may not have.
        raise ManifestError(
            "The container component names no command, which Argo needs.",
            where=f"component {component.name}",
            remedy="Give `command=[…]` in its ContainerSpec; `docker inspect IMAGE` shows the image's own.",
        )
    made = {"command": [_translated(component, text) for text in step.command]}
    if step.args:
        made["args"] = [_translated(component, text) for text in step.args]
    return made


def _translated(component: Component, text: str) -> str:
    if re.match(r'\s*\{\s*"(IfPresent|Concat)"', text):
        raise _error(component, text)
    plain = _PLACEHOLDER.sub("", text)
    if "{{" in plain:
        raise ManifestError(
            f"Argo would take the braces in {text!r} for a variable of its own.",
            where=f"component {component.name}",
            remedy="Move this text into a script of the image.",
        )
    return _PLACEHOLDER.sub(lambda found: _variable(component, found), text)


def _variable(component: Component, found: re.Match[str]) -> str:
    named = _NAMED.fullmatch(found.group(1))
    if named is None:
        raise _error(component, found.group())
    side, kind, _, name, field = named.groups()
    if (side, kind, field) == ("inputs", "parameters", None):
        spec = component.input(name)
        if spec is None:
            raise _error(component, found.group())
        if spec.type is ParameterType.STRING:
            return f"{{{{=sprig.fromJson(inputs.parameters['{name}'])}}}}"
        return f"{{{{inputs.parameters.{name}}}}}"
    form = _FORMS.get((side, kind, field or ""))
    known = component.input(name) if side == "inputs" else component.output(name)
    if form is None or known is None:
        raise _error(component, found.group())
    return form.format(name=name)


def _error(component: Component, placeholder: str) -> ManifestError:
    return ManifestError(
        f"The placeholder {placeholder} cannot be filled on Argo.",
        where=f"component {component.name}",
        remedy="Inputs' values and paths, and the paths of outputs, can be.",
    )
