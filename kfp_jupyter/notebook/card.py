"""A component's card, which stands under its `%%component` cell: interface, image, packages, settings.

It is HTML that a sanitiser leaves as it is (an untrusted notebook, GitHub), and plain text for a terminal.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from kfp_jupyter.cells.finding import ERROR, MIME, WARNING, Finding
from kfp_jupyter.model.component import Component, ContainerStep, InputSpec, OutputSpec, PythonStep
from kfp_jupyter.model.pipeline import TaskSettings
from kfp_jupyter.model.types import Json

_SIGNS = {ERROR: "✖", WARNING: "⚠"}
_RULE = "1px solid rgba(127,127,127,0.35)"
_FAINT = "opacity:0.75"
_FRAME = (
    f"border:{_RULE};border-radius:6px;padding:8px 12px 6px;font-size:13px;line-height:1.5;max-width:760px"
)
_TABLE = "border-collapse:collapse;font-size:13px;margin:6px 0 8px"
_CELL = f"text-align:left;vertical-align:top;padding:3px 16px 3px 0;border-bottom:{_RULE}"
_CHIP = f"display:inline-block;border:{_RULE};border-radius:4px;padding:1px 7px;margin:0 6px 4px 0"


def card(component: Component, settings: TaskSettings, findings: Sequence[Finding] = ()) -> dict[str, Json]:
    """Return the MIME bundle of a component's card.

    Args:
        component: The component.
        settings: What each of its tasks starts with.
        findings: What checks of its code warn of.
    """
    html, text = _html(component, settings), _text(component, settings)
    if not findings:
        return {"text/html": html, "text/plain": text}
    told = findings_bundle(findings)
    return {**told, "text/html": f"{html}{told['text/html']}", "text/plain": f"{text}\n{told['text/plain']}"}


def findings_bundle(findings: Sequence[Finding]) -> dict[str, Json]:
    """Return the MIME bundle of what checks have found: data for front ends, a table, and lines of text."""
    rows = "".join(
        f'<tr><td style="{_CELL}">{_SIGNS[held.severity]} {held.severity}</td>'
        f'<td style="{_CELL};{_FAINT};white-space:nowrap">{escape(str(held.where))}</td>'
        f'<td style="{_CELL}">{escape(held.what)}<br><span style="{_FAINT}">{escape(held.remedy)}</span></td>'
        f'<td style="{_CELL};{_FAINT}"><code>{escape(held.code)}</code></td></tr>'
        for held in findings
    )
    lines = [
        f"  {_SIGNS[held.severity]} {held.where}: {held.what} {held.remedy} [{held.code}]"
        for held in findings
    ]
    return {
        MIME: {"findings": [held.data() for held in findings]},
        "text/html": f'<table style="{_TABLE}">{rows}</table>',
        "text/plain": "\n".join(lines),
    }


def _html(component: Component, settings: TaskSettings) -> str:
    name = f'<strong style="font-size:15px">{escape(settings.display_name or component.name)}</strong>'
    head = f'<div>{name} <span style="{_FAINT}">component</span></div>'
    if component.description:
        head += f'<div style="{_FAINT}">{escape(component.description)}</div>'
    chips = "".join(
        f'<span style="{_CHIP}"><span style="{_FAINT}">{name}</span> <code>{escape(value)}</code></span>'
        for name, value in _facts(component, settings)
    )
    return f'<div style="{_FRAME}">{head}{_table(component)}<div>{chips}</div></div>'


def _table(component: Component) -> str:
    rows = "".join(
        f'<tr><td style="{_CELL};{_FAINT}">{kind}</td>'
        f'<th scope="row" style="{_CELL};font-weight:normal"><code>{escape(spec.name)}</code></th>'
        f'<td style="{_CELL}"><code>{escape(spec.type.python_name)}</code></td>'
        f'<td style="{_CELL}">{escape(note)}</td></tr>'
        for kind, spec, note in _ports(component)
    )
    return f'<table style="{_TABLE}">{rows}</table>' if rows else ""


def _text(component: Component, settings: TaskSettings) -> str:
    lines = [f"Component {settings.display_name or component.name}"]
    if component.description:
        lines.append(f"  {component.description}")
    ports = [(kind, spec.name, spec.type.python_name, note) for kind, spec, note in _ports(component)]
    widths = [max((len(port[column]) for port in ports), default=0) for column in range(3)]
    for port in ports:
        cells = [text.ljust(width) for text, width in zip(port, widths, strict=False)]
        lines.append(("  " + "  ".join([*cells, port[3]])).rstrip())
    lines.extend(f"  {name}: {value}" for name, value in _facts(component, settings))
    return "\n".join(lines)


def _ports(component: Component) -> Iterator[tuple[str, InputSpec | OutputSpec, str]]:
    """Yield `(kind, input or output, note)`."""
    for spec in component.inputs:
        default = f"default {spec.default!r}" if spec.optional else ""
        yield "input", spec, "; ".join(part for part in (default, spec.description) if part)
    for output in component.outputs:
        yield "output", output, output.description


def _facts(component: Component, settings: TaskSettings) -> Iterator[tuple[str, str]]:
    """Yield what is worth saying of the step: the image always, the rest where it is set."""
    step = component.implementation
    if isinstance(step, (PythonStep, ContainerStep)):
        yield "image", settings.image or (step.base_image if isinstance(step, PythonStep) else step.image)
    if isinstance(step, PythonStep) and step.packages:
        yield "packages", " ".join(step.packages)
    resources = settings.resources
    for name, value in (
        ("cpu", resources.cpu_limit or resources.cpu_request),
        ("memory", resources.memory_limit or resources.memory_request),
        ("accelerators", f"{resources.accelerator_count} of {resources.accelerator_type}"),
    ):
        if value and (name != "accelerators" or resources.accelerator_count):
            yield name, value
    if settings.retry is not None:
        yield "retries", str(settings.retry.max_count)
    if settings.timeout_seconds:
        yield "timeout", f"{settings.timeout_seconds:g} s"
    if settings.env:
        # Values may be secrets, and a card is saved with the notebook.
        yield "environment", " ".join(name for name, _ in settings.env)
    if not settings.caching:
        yield "cache", "off"
