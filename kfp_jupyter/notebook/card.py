"""A component's card, which stands under its `%%component` cell: interface, image, packages, settings.

It is HTML that a sanitiser leaves as it is (an untrusted notebook, GitHub), and plain text for a terminal.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from kfp_jupyter.model.component import Component, ContainerStep, InputSpec, OutputSpec, PythonStep
from kfp_jupyter.model.pipeline import TaskSettings
from kfp_jupyter.model.types import Json

#: How our HTML under cells looks; inline, since that is all that sanitisers leave.
RULE = "1px solid rgba(127,127,127,0.35)"
FAINT = "opacity:0.75"
_FRAME = (
    f"border:{RULE};border-radius:6px;padding:8px 12px 6px;font-size:13px;line-height:1.5;max-width:760px"
)
TABLE = "border-collapse:collapse;font-size:13px;margin:6px 0 8px"
CELL = f"text-align:left;vertical-align:top;padding:3px 16px 3px 0;border-bottom:{RULE}"
_CHIP = f"display:inline-block;border:{RULE};border-radius:4px;padding:1px 7px;margin:0 6px 4px 0"


def card(component: Component, settings: TaskSettings) -> dict[str, Json]:
    """Return the MIME bundle of a component's card.

    Args:
        component: The component.
        settings: What each of its tasks starts with.
    """
    return {"text/html": _html(component, settings), "text/plain": _text(component, settings)}


def _html(component: Component, settings: TaskSettings) -> str:
    name = f'<strong style="font-size:15px">{escape(settings.display_name or component.name)}</strong>'
    head = f'<div>{name} <span style="{FAINT}">component</span></div>'
    if component.description:
        head += f'<div style="{FAINT}">{escape(component.description)}</div>'
    chips = "".join(
        f'<span style="{_CHIP}"><span style="{FAINT}">{name}</span> <code>{escape(value)}</code></span>'
        for name, value in _facts(component, settings)
    )
    return f'<div style="{_FRAME}">{head}{_table(component)}<div>{chips}</div></div>'


def _table(component: Component) -> str:
    rows = "".join(
        f'<tr><td style="{CELL};{FAINT}">{kind}</td>'
        f'<th scope="row" style="{CELL};font-weight:normal"><code>{escape(spec.name)}</code></th>'
        f'<td style="{CELL}"><code>{escape(spec.type.python_name)}</code></td>'
        f'<td style="{CELL}">{escape(note)}</td></tr>'
        for kind, spec, note in _ports(component)
    )
    # In a narrow cell the table scrolls inside of the frame.
    return f'<div style="overflow-x:auto"><table style="{TABLE}">{rows}</table></div>' if rows else ""


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
        source = "given by the engine" if spec.filled_in else default
        yield "input", spec, "; ".join(part for part in (source, spec.description) if part)
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
