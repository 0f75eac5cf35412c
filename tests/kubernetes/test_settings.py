"""Settings of tasks that only Kubernetes has. What they compile to is compared in `tests/dsl/authored`."""
# ruff: noqa: PLW0108 - the lambda is the line that must be named

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kfp_jupyter import dsl, kubernetes
from kfp_jupyter.dsl.pipeline_task import PipelineTask, SettingError


@dsl.component
def work(n: int = 0) -> int:
    return n


@dsl.component
def make(data: dsl.Output[dsl.Dataset]):
    pass


@dsl.pipeline
def inner() -> None:
    work()


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda task: kubernetes.use_secret_as_env(task, 1, {}), "`secretName` is 1"),
        (lambda task: kubernetes.use_secret_as_env(task, "s", {"a": 1}), "`secret_key_to_env` is 1"),
        (
            lambda task: kubernetes.use_secret_as_env(task, make().outputs["data"], {}),
            "cannot come from <output 'data' of task 'make': Dataset>",
        ),
        (lambda task: kubernetes.use_secret_as_volume(task, "s", None), "`mount_path` is None"),
        (lambda task: kubernetes.use_config_map_as_env(task, "c", {1: "A"}), "`config_map_key_to_env` is 1"),
        (lambda task: kubernetes.mount_pvc(task, None, "/d"), "`pvc_name` is None"),
        (lambda task: kubernetes.add_node_selector(task, "a", 1), "`label_value` is 1"),
        (lambda task: kubernetes.add_node_selector_json(task, "a"), "`node_selector_json` is 'a'"),
        (lambda task: kubernetes.add_node_affinity(task, weight=101), "`weight` is 101"),
        (
            lambda task: kubernetes.add_node_affinity(task, [{"key": "a", "operator": "Is"}]),
            "the operator 'Is'",
        ),
        (lambda task: kubernetes.add_node_affinity_json(task, {"required": {}}), "no field 'required'"),
        (lambda task: kubernetes.add_toleration(task, operator="Is"), "`operator` is 'Is'"),
        (lambda task: kubernetes.add_toleration(task, effect="Never"), "`effect` is 'Never'"),
        (lambda task: kubernetes.add_toleration_json(task, ["a"]), "holds 'a'"),
        (lambda task: kubernetes.set_image_pull_policy(task, "Sometimes"), "`policy` is 'Sometimes'"),
        (lambda task: kubernetes.set_security_context(task), "says nothing"),
        (lambda task: kubernetes.set_security_context(task, run_as_user=-1), "`run_as_user` is -1"),
        (lambda task: kubernetes.set_security_context(task, run_as_group=True), "`run_as_group` is True"),
        (lambda task: kubernetes.set_security_context(task, run_as_non_root=1), "`run_as_non_root` is 1"),
        (lambda task: kubernetes.set_timeout(task, -1), "-1 is no duration"),
        (lambda task: kubernetes.add_pod_label(task, "a", task.output), "`labels` is"),
        (lambda task: kubernetes.add_pod_label(inner(), "a", "b"), "runs no container of its own"),
    ],
)
def test_a_wrong_setting_is_refused_at_its_line(use: Callable[[PipelineTask], Any], message: str) -> None:
    with dsl.PipelineBuilder("p"):
        task = work()
        with pytest.raises(SettingError) as refused:
            use(task)
    assert message in str(refused.value)
    assert "test_settings.py, line " in refused.value.where
    assert refused.value.remedy
    assert not task.settings.kubernetes


def test_a_task_waits_for_what_only_a_setting_uses() -> None:
    @dsl.pipeline
    def waits() -> None:
        name = work().output
        with dsl.If(name == 1):
            kubernetes.use_secret_as_env(work(), name, {"a": "A"})
        kubernetes.mount_pvc(work(), name, "/d")

    tasks = waits.model.graph.tasks
    assert tasks["work-3"].dependencies == ("work",)
    reference = {"taskOutputParameter": {"producerTask": "work", "outputParameterKey": "Output"}}
    assert tasks["work-3"].settings.kubernetes["pvcMount"] == [
        {"pvcNameParameter": reference, "mountPath": "/d", **reference}
    ]
