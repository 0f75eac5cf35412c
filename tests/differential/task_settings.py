"""What drawn tasks wait for, and are set to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from tests.differential.chance import Chance, Value
from tests.differential.interfaces import Callee

WRITTEN = (
    'set_cpu_limit("1")',
    'set_cpu_request("500m")',
    'set_memory_limit("4Gi")',
    'set_memory_request("100M")',
    'set_accelerator_type("nvidia.com/gpu")',
    "set_accelerator_limit(2)",
    "set_retry(3)",
    'set_retry(2, backoff_duration="30s", backoff_factor=1.5, backoff_max_duration="5m")',
    'set_env_variable("A", "1")',
    'set_env_variable("B", "it\'s")',
    "set_caching_options(False)",
    'set_caching_options(True, cache_key="key")',
    'set_display_name("Shown: so")',
    'set_container_image("python:3.13")',
)
KUBERNETES = (
    'use_secret_as_env({task}, "s", {{"a": "A"}})',
    'use_secret_as_volume({task}, "s", "/s", optional=True)',
    'use_config_map_as_env({task}, "c", {{"a": "A"}})',
    'use_config_map_as_volume({task}, "c", "/c")',
    'mount_pvc({task}, "claim", "/data")',
    'add_node_selector({task}, "disk", "ssd")',
    'add_toleration({task}, key="a", operator="Exists", effect="NoSchedule")',
    'add_pod_label({task}, "a", "b")',
    'add_pod_annotation({task}, "a", "b")',
    'set_image_pull_policy({task}, "Always")',
    "set_timeout({task}, 60)",
    'use_field_path_as_env({task}, "POD", "metadata.name")',
    'empty_dir_mount({task}, "v", "/v", medium="Memory")',
    'set_image_pull_secrets({task}, ["p"])',
    "set_security_context({task}, run_as_user=1000)",
)
TEXT_SETTINGS = (
    "{task}.set_cpu_limit({text})",
    "{task}.set_memory_request({text})",
    "{task}.set_container_image({text})",
    '{task}.set_container_image("r/" + str({text}))',
    "{task}.set_accelerator_type({text})",
    'kubernetes.use_secret_as_env({task}, {text}, {{"a": "A"}})',
    'kubernetes.mount_pvc({task}, {text}, "/p")',
    'kubernetes.use_config_map_as_volume({task}, {text}, "/c")',
    "kubernetes.set_image_pull_secrets({task}, [{text}])",
)


def draw_settings(
    chance: Chance,
    task: str,
    callee: Callee,
    others: Sequence[str],
    values: Callable[[str], list[Value]],
    is_inner: bool,
) -> Iterator[str]:
    """Yield the lines that follow a call.

    Args:
        chance: What draws.
        task: The task's variable.
        callee: What it runs.
        others: Tasks that it may wait for.
        values: The values of the run that there are, by type.
        is_inner: Whether the pipeline is to be called by another.
    """
    if others and chance.of(20):
        yield f"{task}.after({chance.one(others)})"
    if callee.kind == "pipeline":
        if chance.of(10):
            yield f'{task}.set_display_name("Inner")'
        return
    while chance.of(15):
        yield f"{task}.{chance.one(WRITTEN)}"
    # KFP gives settings of Kubernetes of an inner pipeline to a task of the outer one of the same name.
    if not is_inner and chance.of(7):
        yield "kubernetes." + chance.one(KUBERNETES).format(task=task)
    texts = values("str") if chance.of(8) else []
    if texts:
        yield chance.one(TEXT_SETTINGS[:5] if is_inner else TEXT_SETTINGS).format(
            task=task, text=chance.one(texts).text
        )
