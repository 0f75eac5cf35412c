"""Components of a drawn program: Python functions and containers with drawn interfaces."""

from __future__ import annotations

from dataclasses import dataclass

from tests.differential.chance import ARTIFACT_LISTS, ARTIFACTS, PARAMETERS, PLAIN, Chance, is_artifact

PRELUDE = """\
from typing import Dict, List, NamedTuple, Optional

from kfp import compiler, dsl, kubernetes
from kfp.dsl import (
    Artifact, Dataset, Input, InputPath, Markdown, Model, Output, OutputPath, PipelineTaskFinalStatus
)


class Own(Artifact):
    schema_title = "google.Own"
    schema_version = "0.1.0"

"""


@dataclass(frozen=True)
class Port:
    """An input or output; an output of a Python function that is its return value is called `Output`."""

    name: str
    hint: str
    optional: bool = False


@dataclass(frozen=True)
class Callee:
    """What a pipeline may call.

    Attributes:
        name: The function's name.
        inputs: Its inputs.
        outputs: Its outputs.
        source: Its text.
        kind: `python`, `container` or `pipeline`.
        takes_status: Whether one more input gets how other tasks ended.
    """

    name: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    source: str
    kind: str = "python"
    takes_status: bool = False


def draw_component(chance: Chance, name: str, is_first: bool) -> Callee:
    """Return a component; the first one has no input that must be given."""
    if chance.of(20):
        return _container(chance, name, is_first)
    ports = draw_inputs(chance, is_first, chance.number(0, 4))
    texts = [_input(chance, port) for port in ports]
    outputs = []
    for number in range(chance.number(0, 2)):
        if chance.of(50):
            outputs.append(Port(f"made_{number}", chance.one(ARTIFACTS)))
            texts.insert(0, f"made_{number}: Output[{outputs[-1].hint}]")
        else:
            outputs.append(Port(f"said_{number}", chance.one(PARAMETERS)))
            texts.insert(0, f"said_{number}: OutputPath({outputs[-1].hint})")
    before, returned = draw_returned(chance, name)
    outputs += returned
    takes_status = chance.of(10)
    if takes_status:
        texts.append("status: PipelineTaskFinalStatus = None")
    arrow = f" -> {_returned_hint(before, returned, name)}" if returned else ""
    docstring = ""
    if chance.of(20):
        described = "".join(f"        {port.name}: What it's for.\n" for port in ports[:2])
        listed = f"\n\n    Args:\n{described}    " if described else ""
        docstring = f'    """Does something: {name}.{listed}"""\n'
    source = (
        f"{before}@dsl.component\ndef {name}({', '.join(texts)}){arrow}:\n{docstring}    return None\n\n\n"
    )
    return Callee(name, tuple(ports), tuple(outputs), source, takes_status=takes_status)


def draw_inputs(chance: Chance, all_optional: bool, count: int) -> list[Port]:
    """Return inputs, those with defaults last."""
    ports = []
    for number in range(count):
        hints = PARAMETERS if chance.of(70) else ARTIFACTS if chance.of(80) else ARTIFACT_LISTS
        ports.append(Port(f"in_{number}", chance.one(hints), all_optional or chance.of(40)))
    return sorted(ports, key=lambda port: port.optional)


def draw_returned(chance: Chance, name: str) -> tuple[str, list[Port]]:
    """Return the values that a function returns, and before them the text of their NamedTuple, if any."""
    how = chance.number(0, 4)
    if how == 0:
        return "", []
    if how < 4:
        return "", [Port("Output", chance.one(PARAMETERS) if chance.of(70) else chance.one(ARTIFACTS))]
    ports = [
        Port(f"part_{number}", chance.one(PARAMETERS) if chance.of(70) else chance.one(ARTIFACTS[:-1]))
        for number in range(chance.number(1, 3))
    ]
    fields = "".join(f"    {port.name}: {port.hint}\n" for port in ports)
    return f"class Of{name.title().replace('_', '')}(NamedTuple):\n{fields}\n\n", ports


def _returned_hint(before: str, returned: list[Port], name: str) -> str:
    return f"Of{name.title().replace('_', '')}" if before else returned[0].hint


def signature(chance: Chance, ports: list[Port]) -> str:
    """Return inputs as the arguments of a pipeline's function."""
    return ", ".join(_input(chance, port) for port in ports)


def _input(chance: Chance, port: Port, marked: bool = False) -> str:
    if is_artifact(port.hint):
        # KFP knows an own class only where it is marked.
        bare = not marked and port.hint not in ("Own", *ARTIFACT_LISTS) and chance.of(30)
        how = port.hint if bare else f"Input[{port.hint}]"
        if not port.optional:
            return f"{port.name}: {how}"
        return f"{port.name}: Optional[{how}] = None" if chance.of(50) else f"{port.name}: {how} = None"
    if not port.optional:
        return f"{port.name}: {port.hint}"
    if chance.of(30):
        return f"{port.name}: Optional[{port.hint}] = None"
    return f"{port.name}: {port.hint} = {chance.constant(port.hint)!r}"


def _container(chance: Chance, name: str, is_first: bool) -> Callee:
    ports = draw_inputs(chance, is_first, chance.number(0, 3))
    outputs = [
        Port(f"made_{number}", chance.one(ARTIFACTS) if chance.of(50) else chance.one(PLAIN))
        for number in range(chance.number(0, 2))
    ]
    texts = [
        f"{port.name}: Output[{port.hint}]"
        if is_artifact(port.hint)
        else f"{port.name}: OutputPath({port.hint})"
        for port in outputs
    ]
    texts += [_input(chance, port, marked=True) for port in ports]
    words = ['"run"']
    for port in ports:
        words += _input_word(chance, port)
    for port in outputs:
        words.append(f"{port.name}.{chance.one(('path', 'uri'))}" if is_artifact(port.hint) else port.name)
    command = '["sh", "-c"]' if chance.of(70) else "None"
    spec = f'dsl.ContainerSpec(image="alpine:3", command={command}, args=[{", ".join(words)}])'
    source = f"@dsl.container_component\ndef {name}({', '.join(texts)}):\n    return {spec}\n\n\n"
    return Callee(name, tuple(ports), tuple(outputs), source, "container")


def _input_word(chance: Chance, port: Port) -> list[str]:
    if port.hint in ARTIFACT_LISTS:
        return []
    word = port.name
    if is_artifact(port.hint):
        word = f"{port.name}.{chance.one(('path', 'uri', 'metadata'))}"
    how = chance.number(0, 4)
    if how == 1:
        return [f'dsl.ConcatPlaceholder(["--x=", {word}])']
    if how == 2 and port.optional:
        other = ', else_=["--none"]' if chance.of(50) else ""
        return [f'dsl.IfPresentPlaceholder(input_name="{port.name}", then=["--given", {word}]{other})']
    if how == 3:
        return [f'f"--y={{{word}}}"']
    return [word]
