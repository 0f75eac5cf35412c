from __future__ import annotations

import re

import pytest

from kfp_jupyter.runs.run_id import new_run_id

LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


@pytest.mark.parametrize("pipeline", ["churn", "a" * 80, "a" * 41 + "-b", "Größe 2", "---", ""])
def test_an_id_is_a_dns_label(pipeline):
    assert LABEL.fullmatch(new_run_id(pipeline))


def test_an_id_tells_the_pipeline_and_the_time():
    assert re.fullmatch(r"churn-\d{8}-\d{6}-[0-9a-f]{4}", new_run_id("churn"))


def test_two_runs_of_the_same_second_differ():
    assert len({new_run_id("churn") for _ in range(5)}) > 1
