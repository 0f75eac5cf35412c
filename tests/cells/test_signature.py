"""The lines of `%%component` and `%%pipeline`."""

from __future__ import annotations

from typing import Any

import pytest

from kfp_jupyter.cells.magic_parser import MagicUsageError
from kfp_jupyter.cells.run_choices import RunChoices
from kfp_jupyter.cells.signature import (
    ComponentOptions,
    PipelineOptions,
    parse_component_line,
    parse_pipeline_line,
)
from kfp_jupyter.model.component import InputSpec
from kfp_jupyter.model.pipeline import Resources, Retry, TaskSettings
from kfp_jupyter.model.types import ParameterType


def test_empty_lines_say_nothing() -> None:
    assert parse_component_line("") == ComponentOptions()
    assert parse_pipeline_line("  ") == PipelineOptions()


def test_every_option_of_a_component_is_read() -> None:
    line = (
        'train --base-image img:1 --packages pandas "scikit-learn>=1.3, <2" --pip-index-url https://x '
        "--cpu 500m --memory 4Gi --gpu 2 --accelerator TPU --retry 3 --timeout 30m "
        "--env A=1 B='x y' --env C==c "
        '--no-cache --display-name "Train it"'
    )
    assert parse_component_line(line) == ComponentOptions(
        name="train",
        base_image="img:1",
        packages=("pandas", "scikit-learn>=1.3, <2"),
        pip_index_urls=("https://x",),
        settings=TaskSettings(
            caching=False,
            resources=Resources("500m", "500m", "4Gi", "4Gi", "TPU", "2"),
            retry=Retry(3),
            timeout_seconds=1800.0,
            env=(("A", "1"), ("B", "x y"), ("C", "=c")),
            display_name="Train it",
        ),
    )


def test_a_number_of_accelerators_and_their_type_complete_each_other() -> None:
    assert parse_component_line("--gpu 1").settings.resources.accelerator_type == "nvidia.com/gpu"
    assert parse_component_line("--accelerator TPU").settings.resources.accelerator_count == "1"


def test_a_pipelines_interface_and_options_are_read() -> None:
    interface = 'p(lr: float = 1, tag: str = "a --run (x", items: List[int] = [-1, 2])'
    line = interface + " --run -p lr=0.2 tag=x=y --no-cache"
    assert parse_pipeline_line(line) == PipelineOptions(
        name="p",
        inputs=(
            InputSpec("lr", ParameterType.DOUBLE, optional=True, default=1.0),
            InputSpec("tag", ParameterType.STRING, optional=True, default="a --run (x"),
            InputSpec("items", ParameterType.LIST, optional=True, default=[-1, 2]),
        ),
        run=True,
        arguments={"lr": "0.2", "tag": "x=y"},
        choices=RunChoices(caching=False),
    )


def test_how_a_run_is_to_be_run_is_read() -> None:
    line = "--jobs 3 --host-containers"
    assert parse_pipeline_line(line).choices == RunChoices(jobs=3, host_containers=True)
    assert parse_pipeline_line("--in-containers").choices == RunChoices(in_containers=True)
    with pytest.raises(MagicUsageError, match="not allowed with"):
        parse_pipeline_line("--in-containers --host-containers")


def test_a_name_alone_leaves_the_parameters_open_and_empty_parentheses_say_none() -> None:
    assert parse_pipeline_line("my-pipeline").inputs is None
    assert parse_pipeline_line("My_Pipeline").pipeline_name == "my-pipeline"
    assert parse_pipeline_line("p() --target argo:a/b").inputs == ()


def test_waiting_runs() -> None:
    assert parse_pipeline_line("--wait").run


@pytest.mark.parametrize(
    ("parse", "line", "message"),
    [
        (parse_component_line, "--cpu 2x", "'2x' is no amount of CPU"),
        (parse_component_line, "--memory lots", "'lots' is no amount of memory"),
        (parse_component_line, "--gpu one", "'one' is not a count"),
        (parse_component_line, "--timeout soon", "'soon' is no duration"),
        (parse_component_line, "--retry -1", "'-1' is no number of retries"),
        (parse_component_line, "--env A", "'A' is not NAME=VALUE"),
        (parse_component_line, "--packages 'open", "No closing quotation"),
        (parse_component_line, "--nope", "unrecognized arguments: --nope"),
        (parse_component_line, "two names", "'two names' is no name"),
        (parse_pipeline_line, "p(lr)", "'lr' of pipeline 'p' has no type hint"),
        (parse_pipeline_line, "p(lr: float", "not valid Python"),
        (parse_pipeline_line, "p(lr: float = 'x')", "got 'x' of type str, not float"),
        (parse_pipeline_line, "(lr: float)", "the pipeline has no name"),
        (parse_pipeline_line, "-p lr", "'lr' is not NAME=VALUE"),
    ],
)
def test_a_wrong_line_is_one_line_of_usage(parse: Any, line: str, message: str) -> None:
    with pytest.raises(MagicUsageError) as refused:
        parse(line)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)
    assert refused.value.remedy


def test_an_option_that_is_not_there_is_told_the_nearest() -> None:
    with pytest.raises(MagicUsageError) as refused:
        parse_component_line("--retries 2")
    assert refused.value.remedy.startswith("Did you mean --retry? The options are: --base-image, ")
