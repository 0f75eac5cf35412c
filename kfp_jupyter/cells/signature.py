"""The magic lines `%%component …` and `%%pipeline …`, read into options.

A line is an interface part, up to the first ` --` outside of brackets and quotes, and options in shell
spelling. Errors are one line: what is wrong, and how the magic is used.
"""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kfp_jupyter.cells import quantity
from kfp_jupyter.cells.cell_line import CellLine, InterfaceError, is_interface, outside, read_cell_line
from kfp_jupyter.cells.component import kebab_case
from kfp_jupyter.cells.definition import find_function
from kfp_jupyter.cells.errors import ComponentError
from kfp_jupyter.cells.interface import read_interface
from kfp_jupyter.cells.magic_parser import MagicParser, MagicUsageError
from kfp_jupyter.cells.run_choices import RunChoices, add_run_choices, read_run_choices
from kfp_jupyter.cells.stand_in import stand_in
from kfp_jupyter.model.component import Fragment, InputSpec, Source
from kfp_jupyter.model.pipeline import Resources, Retry, TaskSettings


@dataclass(frozen=True, slots=True)
class ComponentOptions:
    """What a `%%component` line says.

    Attributes:
        name: The function to take, or the name of a cell without one; None for the cell's last function.
        interface: The interface on the line, `NAME(…) -> …`; empty if there is none.
        after: The components that it shall wait for in a pipeline that is linked by data.
        run: Whether the body of a cell without a function also runs in the notebook.
        base_image: The image of its steps, or None for the default.
        packages: Requirements to install before a step runs.
        pip_index_urls: Package indexes for them.
        settings: The settings that every task of the component starts with.
    """

    name: str | None = None
    interface: str = ""
    after: tuple[str, ...] = ()
    run: bool = True
    base_image: str | None = None
    packages: tuple[str, ...] = ()
    pip_index_urls: tuple[str, ...] = ()
    settings: TaskSettings = field(default_factory=TaskSettings)


@dataclass(frozen=True, slots=True)
class PipelineOptions:
    """What a `%%pipeline` line says.

    Attributes:
        name: The name as written, or None if the line has none.
        inputs: The parameters, or None if the line has no parentheses.
        target: The target's spelling (`local`, `argo:context`), or an empty string.
        run: Whether to run it at once.
        auto: Whether to link the notebook's component cells by their data.
        wait: Whether to wait until that run has ended.
        arguments: Values for the run's parameters, as typed; their types say how to read them.
        description: What the pipeline is for.
        choices: How else it is to be run.
    """

    name: str | None = None
    inputs: tuple[InputSpec, ...] | None = None
    target: str = ""
    run: bool = False
    auto: bool = False
    wait: bool = False
    arguments: dict[str, str] = field(default_factory=dict)
    description: str = ""
    choices: RunChoices = field(default_factory=RunChoices)

    @property
    def pipeline_name(self) -> str | None:
        """The name in KFP's spelling."""
        return kebab_case(self.name) if self.name else None


def parse_component_line(line: str) -> ComponentOptions:
    """Read what follows `%%component`.

    Raises:
        MagicUsageError: It cannot be read; the message is one line.
    """
    name, rest = _split(line, component_parser)
    options = component_parser.parse_args(rest)
    interface, name = (name, "") if is_interface(name) else ("", name)
    if name and not name.replace("-", "_").isidentifier():
        component_parser.error(f"{name!r} is no name of a function")
    resources = Resources(
        cpu_request=options.cpu or "",
        cpu_limit=options.cpu or "",
        memory_request=options.memory or "",
        memory_limit=options.memory or "",
        accelerator_type=options.accelerator or ("nvidia.com/gpu" if options.gpu else ""),
        accelerator_count=options.gpu or ("1" if options.accelerator else ""),
    )
    settings = TaskSettings(
        caching=not options.no_cache,
        resources=resources,
        retry=Retry(options.retry) if options.retry else None,
        timeout_seconds=options.timeout,
        env=tuple(dict(options.env).items()),
        display_name=options.display_name,
    )
    return ComponentOptions(
        name or None,
        interface,
        tuple(options.after),
        not options.no_run,
        options.base_image,
        tuple(options.packages),
        tuple(options.pip_index_url),
        settings,
    )


def read_interface_part(text: str, namespace: Mapping[str, Any]) -> CellLine:
    """Read the interface on a `%%component` line.

    Args:
        text: As `ComponentOptions.interface` has it.
        namespace: The notebook's names, which hints and defaults may use.

    Raises:
        MagicUsageError: It cannot be read; the message is one line.
    """
    try:
        return read_cell_line(text, namespace)
    except InterfaceError as error:
        component_parser.error(str(error))


def parse_pipeline_line(line: str) -> PipelineOptions:
    """Read what follows `%%pipeline`.

    Raises:
        MagicUsageError: It cannot be read; the message is one line.
    """
    interface, rest = _split(line, pipeline_parser)
    options = pipeline_parser.parse_args(rest)
    name, inputs = _interface(interface) if interface else (None, None)
    return PipelineOptions(
        name=name,
        inputs=inputs,
        target=options.target,
        run=options.run or options.wait,
        auto=options.auto,
        wait=options.wait,
        arguments=dict(options.parameter),
        description=options.description,
        choices=read_run_choices(options),
    )


def _split(line: str, parser: argparse.ArgumentParser) -> tuple[str, list[str]]:
    """Split a line into its interface part and its options' words."""
    end = _interface_end(line)
    try:
        words = shlex.split(line[end:])
    except ValueError as error:
        parser.error(f"{error} in: {line[end:].strip()}")
    return line[:end].strip(), words


def _interface_end(line: str) -> int:
    """Return where the options begin: at the first word with a dash outside of brackets and quotes."""
    for index in outside(line):
        begins_a_word = index == 0 or line[index - 1].isspace()
        if begins_a_word and line[index] == "-" and not line.startswith("->", index):
            return index
    return len(line)


def _interface(text: str) -> tuple[str, tuple[InputSpec, ...] | None]:
    """Read `NAME` or `NAME(lr: float = 0.1, …)`."""
    name, parenthesis, _ = text.partition("(")
    name = name.strip()
    if not name.replace("-", "_").isidentifier():
        pipeline_parser.error(
            f"{name or text!r} is no name for a pipeline" if name else "the pipeline has no name"
        )
    if not parenthesis:
        return name, None
    identifier = name.replace("-", "_")
    source = Source(
        (Fragment(f"def {identifier}{text[len(text.partition('(')[0]) :]}: pass\n", "%%pipeline"),)
    )
    try:
        definition = find_function(source, identifier)
        return name, read_interface(stand_in(definition, {}), definition.place, is_pipeline=True).inputs
    except ComponentError as error:
        raise MagicUsageError(
            f"%%pipeline {text}: {error.what}",
            remedy=error.remedy or "Write NAME(parameter: type = default, …).",
        ) from None


def _read(function: Callable[[str], Any]) -> Callable[[str], Any]:
    """Let argparse show the message of the ValueError that `function` raises."""

    def read(text: str) -> Any:
        try:
            return function(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return read


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise ValueError(f"{text!r} is not NAME=VALUE")
    return name, value


def _retries(text: str) -> int:
    if not text.isdecimal():
        raise ValueError(f"{text!r} is no number of retries; write 0, 1, 2, …")
    return int(text)


def _component_parser() -> argparse.ArgumentParser:
    parser = MagicParser(
        prog="%%component",
        usage="%(prog)s [NAME | NAME(input: type = default, …) -> output: type, …] [OPTIONS]",
        add_help=False,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--base-image", metavar="IMAGE", help="the container image of its steps")
    add(
        "--packages",
        nargs="+",
        action="extend",
        default=[],
        metavar="REQUIREMENT",
        help="packages to install",
    )
    add("--pip-index-url", action="append", default=[], metavar="URL", help="a package index for them")
    add("--cpu", type=_read(quantity.cpu), help="cores: 2, 0.5 or 500m")
    add("--memory", type=_read(quantity.memory), help="memory: 512Mi or 4Gi")
    add("--gpu", type=_read(quantity.count), metavar="COUNT", help="a number of accelerators")
    add("--accelerator", default="", metavar="TYPE", help="their type; nvidia.com/gpu if left out")
    add(
        "--retry",
        type=_read(_retries),
        default=0,
        metavar="COUNT",
        help="how often to try again after a failure",
    )
    add(
        "--timeout",
        type=_read(quantity.seconds),
        default=0.0,
        help="the longest a step may take: seconds, 30m or 2h",
    )
    add(
        "--env",
        type=_read(_pair),
        nargs="+",
        action="extend",
        default=[],
        metavar="NAME=VALUE",
        help="environment variables",
    )
    add("--no-cache", action="store_true", help="always run, never use an earlier result")
    add("--no-run", action="store_true", help="only register the cell, do not run its body here")
    add(
        "--after",
        nargs="+",
        action="extend",
        default=[],
        metavar="NAME",
        help="in `%%%%pipeline --auto`: components to wait for besides those that give it data",
    )
    add("--display-name", default="", metavar="NAME", help="the name shown to people")
    return parser


def _pipeline_parser() -> argparse.ArgumentParser:
    usage = "%(prog)s [NAME | NAME(parameter: type = default, …)] [OPTIONS]"
    parser = MagicParser(prog="%%pipeline", usage=usage, add_help=False, allow_abbrev=False)
    add = parser.add_argument
    add("--target", default="", help="where to run: local, or argo:CONTEXT")
    add(
        "--auto",
        action="store_true",
        help="link this notebook's component cells by their data; the body stays empty",
    )
    add("--run", action="store_true", help="run it at once")
    add("--wait", action="store_true", help="run it and wait until it has ended")
    add(
        "-p",
        "--parameter",
        type=_read(_pair),
        nargs="+",
        action="extend",
        default=[],
        metavar="NAME=VALUE",
        help="arguments of the run",
    )
    add("--description", default="", help="what the pipeline is for")
    add_run_choices(parser)
    return parser


component_parser = _component_parser()
"""The options of `%%component`, also for completion and help."""

pipeline_parser = _pipeline_parser()
"""The options of `%%pipeline`, also for completion and help."""
