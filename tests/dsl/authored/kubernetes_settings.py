"""Settings of tasks that only Kubernetes has: written, parameters, outputs, and inside of groups."""

from typing import List

from kfp import dsl, kubernetes


@dsl.component
def work(n: int = 0):
    pass


@dsl.component
def name_of() -> str:
    return "a"


@dsl.component
def facts() -> dict:
    return {"a": "b"}


@dsl.pipeline
def secrets(secret: str = "s"):
    task = work()
    kubernetes.use_secret_as_env(task, "written", {"password": "PASSWORD", "user": "USER"})
    kubernetes.use_secret_as_env(task, secret, {"a": "A"}, optional=True)
    kubernetes.use_secret_as_volume(task, "written", "/secrets", optional=True)
    kubernetes.use_secret_as_volume(task, name_of().output, "/more")
    kubernetes.use_config_map_as_env(work(), "written", {"a": "A"})
    other = work()
    kubernetes.use_config_map_as_env(other, secret, {"a": "A"}, optional=True)
    kubernetes.use_config_map_as_volume(other, "written", "/config")
    kubernetes.use_config_map_as_volume(other, name_of().output, "/config2", optional=True)
    kubernetes.set_image_pull_secrets(other, ["a", secret])


@dsl.pipeline
def nodes(selector: dict = {"disk": "ssd"}, tolerated: list = []):  # noqa: B006
    task = work()
    kubernetes.add_node_selector(task, "disk", "ssd")
    kubernetes.add_node_selector(task, "zone", "a")
    kubernetes.add_node_selector_json(work(), {"disk": "hdd"})
    kubernetes.add_node_selector_json(work(), selector)
    kubernetes.add_node_selector_json(work(), facts().output)
    kubernetes.add_node_affinity(
        task,
        match_expressions=[{"key": "zone", "operator": "In", "values": ["a", "b"]}],
        match_fields=[{"key": "metadata.name", "operator": "Exists"}],
        weight=50,
    )
    kubernetes.add_node_affinity(task, match_expressions=[{"key": "gpu", "operator": "Exists"}])
    kubernetes.add_node_affinity_json(
        task,
        {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": []}},
    )
    kubernetes.add_node_affinity_json(task, selector)
    kubernetes.add_toleration(task, key="a", operator="Equal", value="b", effect="NoSchedule")
    kubernetes.add_toleration(task, operator="Exists", effect="NoExecute", toleration_seconds=0)
    kubernetes.add_toleration_json(task, {"key": "c", "operator": "Exists"})
    kubernetes.add_toleration_json(task, [{"key": "d"}, {"key": "e", "toleration_seconds": 5}])
    kubernetes.add_toleration_json(task, tolerated)


@dsl.pipeline
def pods():
    task = work()
    kubernetes.add_pod_label(task, "a", "b")
    kubernetes.add_pod_label(task, "c", "d")
    kubernetes.add_pod_annotation(task, "e", "f")
    kubernetes.use_field_path_as_env(task, "POD", "metadata.name")
    kubernetes.set_image_pull_policy(task, "Always")
    kubernetes.set_security_context(task, run_as_user=0, run_as_group=1000, run_as_non_root=False)
    kubernetes.set_security_context(work(), run_as_non_root=True)
    kubernetes.set_timeout(task, 30)
    kubernetes.empty_dir_mount(task, "scratch", "/scratch")
    kubernetes.empty_dir_mount(task, "shared", "/dev/shm", medium="Memory", size_limit="1Gi")
    kubernetes.add_ephemeral_volume(task, "v", "/v", ["ReadWriteOnce"], "5Gi")
    kubernetes.add_ephemeral_volume(
        task, "w", "/w", ["ReadWriteOnce"], "5Gi", "fast", labels={"a": "b"}, annotations={"c": "d"}
    )


@dsl.pipeline
def volumes(claim: str = "mine"):
    created = kubernetes.CreatePVC(pvc_name_suffix="-data", access_modes=["ReadWriteOnce"], size="1Gi")
    task = work()
    kubernetes.mount_pvc(task, created.outputs["name"], "/data")
    kubernetes.mount_pvc(task, "written", "/more", sub_path="inner")
    kubernetes.mount_pvc(task, claim, "/claim")
    kubernetes.DeletePVC(pvc_name=created.outputs["name"]).after(task)


@dsl.pipeline
def in_groups(names: List[str], secret: str = "s"):
    made = name_of()
    with dsl.ParallelFor(names) as name:
        task = work()
        kubernetes.use_secret_as_env(task, name, {"a": "A"})
        kubernetes.use_secret_as_env(task, secret, {"a": "A"})
        kubernetes.mount_pvc(task, made.output, "/data")
    with dsl.If(secret == "x"):
        kubernetes.use_secret_as_volume(work(), made.output, "/s")


@dsl.component
def job(n: int = 0):
    pass


@dsl.pipeline
def inner(secret: str):
    kubernetes.use_secret_as_env(job(), secret, {"a": "A"})


@dsl.pipeline
def nested():
    kubernetes.add_pod_label(work(), "a", "b")
    inner(secret="one")
    inner(secret="two")


PIPELINES = [secrets, nodes, pods, volumes, in_groups, nested]
