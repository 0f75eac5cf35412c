"""Where each defect of other tools has its answer, for those that are answered outside of this folder.

`test_rival_defects` and `test_rival_runs` name the others themselves, `test_kale_pipeline` many of Kale's.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]

REGISTER = {
    "Kale: 200 steps take a minute, as it looks at every cell for every other": (
        "test_growth.py::test_the_work_of_tracing_is_linear"
    ),
    "Kale: loading it takes seconds and loads all of nbformat": (
        "notebook/test_import.py::test_loading_and_the_first_component_import_nothing_heavy_and_open_no_socket"
    ),
    "Kale: errors stand in a log file of its own": (
        "notebook/test_display.py::test_waiting_for_a_run_that_fails_is_an_error_with_the_cells_own_line"
    ),
    "Kale: a notebook without tags cannot be run whole": (
        "dsl/test_notebook_step.py::test_it_runs_with_other_values_and_keeps_the_executed_notebook_and_its_page"
    ),
    "Kale: what loads a value is not imported in the next step": (
        "cells/test_cell_form.py::test_the_packages_of_values_join_those_of_the_line"
    ),
    "Kale: an edited program or YAML cannot be run": (
        "cli/test_command.py::test_a_file_written_for_kfp_is_compiled_unedited"
    ),
    "Elyra: runs disappear when they are submitted": (
        "test_workbench.py::test_a_restarted_kernel_finds_its_runs_and_follows_the_open_ones"
    ),
    "Elyra: a program that waits does not end with a failure": (
        "cli/test_command.py::test_a_failed_run_shows_the_error_with_its_line_and_is_a_failure"
    ),
    "Hamilton: a picture takes the program `dot`": (
        "cli/test_command.py::test_a_graph_is_drawn_as_text_svg_or_html"
    ),
    "KFP: compiling slows down with the square of the tasks": (
        "test_growth.py::test_the_work_of_writing_kfp_s_yaml_is_linear"
    ),
    "KFP: no program reads a run's log": "test_run.py::test_logs_hide_what_the_executor_says_to_the_engine",
    "KFP: no program retries a run": (
        "cli/test_resume.py::test_a_failed_run_goes_on_under_its_id_and_the_history_tells_it"
    ),
    "KFP: the runner on this machine takes no containers": (
        "engines/local/test_containers.py::test_a_container_component_gets_and_gives_parameters_and_artifacts"
    ),
    "KFP: the runner ignores resources with a line in its log": (
        "test_workbench.py::test_what_a_target_will_not_do_is_said_before_the_run_and_stays_with_it"
    ),
    "KFP: `set_retry` of a pipeline in a pipeline is dropped": (
        "engines/local/test_group_settings.py::test_what_is_set_for_a_pipeline_in_a_pipeline_needs_no_notice"
    ),
    "KFP: steps of one pipeline that do not need each other run one after the other": (
        "engines/local/test_runs.py::test_independent_tasks_run_at_the_same_time"
    ),
}


@pytest.mark.parametrize("defect", REGISTER)
def test_a_defect_of_others_has_its_test(defect):
    file, _, name = REGISTER[defect].partition("::")
    tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
    tests = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert name in tests
