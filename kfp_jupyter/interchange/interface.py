"""The inputs and outputs of a component: `inputDefinitions` and `outputDefinitions`."""

from __future__ import annotations

from collections.abc import Iterable

from kfp_jupyter.interchange.fields import Fields, merged, refuse
from kfp_jupyter.interchange.number import from_protobuf, to_protobuf
from kfp_jupyter.model.component import InputSpec, OutputSpec, Passthrough
from kfp_jupyter.model.types import ArtifactType, Json, ParameterType


def given(**values: Json) -> dict[str, Json]:
    """Return the values that are not empty."""
    return {name: value for name, value in values.items() if value}


def write_interface(inputs: Iterable[InputSpec], outputs: Iterable[OutputSpec]) -> dict[str, Json]:
    """Return the definitions of inputs and outputs as fields of a component."""
    return given(
        inputDefinitions=_definitions((spec, _input(spec)) for spec in inputs),
        outputDefinitions=_definitions((spec, {}) for spec in outputs),
    )


def read_interface(component: Fields) -> tuple[tuple[InputSpec, ...], tuple[OutputSpec, ...]]:
    """Return the inputs and outputs of a component.

    Raises:
        DocumentError: One has no type, or a wrong one.
    """
    given_in, given_out = component.fields("inputDefinitions"), component.fields("outputDefinitions")
    inputs = [_read_input(name, held, _artifact_type(held)) for name, held in given_in.each("artifacts")]
    inputs += [_read_input(name, held, _parameter_type(held)) for name, held in given_in.each("parameters")]
    outputs = [_read_output(name, held, _artifact_type(held)) for name, held in given_out.each("artifacts")]
    outputs += [
        _read_output(name, held, _parameter_type(held)) for name, held in given_out.each("parameters")
    ]
    return tuple(inputs), tuple(outputs)


def write_passthroughs(passthroughs: Iterable[Passthrough]) -> Json:
    """Return which settings of a task its component is told of as a list in a document."""
    return [given(field=item.field, applyToTask=item.apply_to_task) for item in passthroughs]


def read_passthroughs(component: Fields) -> tuple[Passthrough, ...]:
    """Return which settings of a task its component is told of."""
    return tuple(
        Passthrough(item.needed("field"), item.flag("applyToTask"))
        for item in component.items("taskConfigPassthroughs")
    )


def write_artifact_type(type_: ArtifactType) -> dict[str, Json]:
    """Return an `ArtifactTypeSchema`."""
    return given(schemaTitle=type_.schema_title, schemaVersion=type_.schema_version)


def read_artifact_type(schema: Fields, *, is_list: bool = False) -> ArtifactType:
    """Return the type that an `ArtifactTypeSchema` says; a schema of another kind stays in the rest."""
    return ArtifactType(schema.text("schemaTitle"), schema.text("schemaVersion"), is_list)


def _definitions(specs: Iterable[tuple[InputSpec | OutputSpec, dict[str, Json]]]) -> dict[str, Json]:
    artifacts: dict[str, Json] = {}
    parameters: dict[str, Json] = {}
    for spec, further in specs:
        entry = {**further, **given(description=spec.description)}
        if isinstance(spec.type, ArtifactType):
            entry |= given(artifactType=write_artifact_type(spec.type), isArtifactList=spec.type.is_list)
            artifacts[spec.name] = merged(entry, spec.extra)
        else:
            entry["parameterType"] = spec.type.value
            parameters[spec.name] = merged(entry, spec.extra)
    return given(artifacts=artifacts, parameters=parameters)


def _input(spec: InputSpec) -> dict[str, Json]:
    what = f"the default of {spec.name!r}"
    entry: dict[str, Json] = given(isOptional=spec.optional, literals=to_protobuf(spec.literals, what))
    if spec.default is not None:
        entry["defaultValue"] = to_protobuf(spec.default, what)
    return entry


def _read_input(name: str, held: Fields, type_: ArtifactType | ParameterType) -> InputSpec:
    default, literals = held.json("defaultValue"), held.json("literals") or []
    if not isinstance(literals, list):
        raise refuse(held.at("literals"), "There should be a list here.")
    return InputSpec(
        name,
        type_,
        held.flag("isOptional"),
        from_protobuf(default, type_, held.at("defaultValue")),
        held.text("description"),
        tuple(from_protobuf(value, type_, held.at("literals")) for value in literals),
        held.rest(),
    )


def _read_output(name: str, held: Fields, type_: ArtifactType | ParameterType) -> OutputSpec:
    return OutputSpec(name, type_, held.text("description"), held.rest())


def _artifact_type(held: Fields) -> ArtifactType:
    return read_artifact_type(held.fields("artifactType"), is_list=held.flag("isArtifactList"))


def _parameter_type(held: Fields) -> ParameterType:
    name = held.needed("parameterType")
    try:
        return ParameterType(name)
    except ValueError:
        known = ", ".join(type_.value for type_ in ParameterType)
        raise refuse(held.at("parameterType"), f"{name!r} is no type.", f"Types are: {known}.") from None
