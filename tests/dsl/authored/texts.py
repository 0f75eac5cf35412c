"""Values of the run inside texts, lists and dicts; KFP's placeholders; what stands in settings."""

from typing import List, NamedTuple

from kfp import dsl


class Two(NamedTuple):
    first: str
    second: int


@dsl.component
def two() -> Two:
    return Two("a", 1)


@dsl.component
def say(text: str = "", items: list = [], table: dict = {}) -> str:  # noqa: B006
    return text


@dsl.component
def limit() -> str:
    return "2"


@dsl.component
def count() -> int:
    return 2


@dsl.pipeline
def in_texts(name: str = "a", n: int = 1):
    made = two()
    say(text=f"Hello {name}")
    say(text=f"{name} and {name}, {n}")
    say(text=f"{made.outputs['first']}-{made.outputs['second']}-{name}")
    say(text="%s: %d percent" % (made.outputs["first"], 5))  # noqa: UP031
    say(text="{} {{braces}}".format(name))  # noqa: UP032


@dsl.pipeline
def in_lists_and_dicts(name: str = "a", n: int = 1, items: list = [1]):  # noqa: B006
    made = two()
    say(items=[name, 1, made.outputs["second"], [n, {"k": name}]])
    say(table={"a": name, "b": [made.outputs["first"]], "c": {"d": f"x{n}"}, "e": items})


@dsl.pipeline
def in_groups(names: List[str], word: str = "w"):
    made = two()
    with dsl.If(made.outputs["second"] == 1):
        say(text=f"{made.outputs['first']} {word}")
        say(items=[word, made.outputs["second"]])
    with dsl.ParallelFor(names) as name:
        say(text=name)
        say(text=f"in {word}")


@dsl.pipeline
def placeholders():
    say(text=dsl.PIPELINE_JOB_NAME_PLACEHOLDER)
    say(text=dsl.PIPELINE_JOB_RESOURCE_NAME_PLACEHOLDER)
    say(text=f"id {dsl.PIPELINE_JOB_ID_PLACEHOLDER}")
    say(text=dsl.PIPELINE_TASK_NAME_PLACEHOLDER)
    say(text=dsl.PIPELINE_TASK_ID_PLACEHOLDER)
    say(text=dsl.PIPELINE_ROOT_PLACEHOLDER)
    say(items=[dsl.PIPELINE_JOB_CREATE_TIME_UTC_PLACEHOLDER, dsl.PIPELINE_JOB_SCHEDULE_TIME_UTC_PLACEHOLDER])
    say(text=dsl.PIPELINE_TASK_EXECUTOR_OUTPUT_PATH_PLACEHOLDER)
    say(text=dsl.PIPELINE_TASK_EXECUTOR_INPUT_PLACEHOLDER)


@dsl.pipeline(
    pipeline_config=dsl.PipelineConfig(
        workspace=dsl.WorkspaceConfig(
            size="10Gi",
            kubernetes=dsl.KubernetesWorkspaceConfig(pvcSpecPatch={"storageClassName": "fast", "accessModes": ["a"]}),
        ),
        ttl_seconds_after_finished=10,
        ttl_seconds_after_success=20,
        ttl_seconds_after_failure=30,
        active_deadline_seconds=40,
    )
)
def configured():
    say(text=dsl.WORKSPACE_PATH_PLACEHOLDER + "/data")
    dsl.importer(artifact_uri="s3://b/x", artifact_class=dsl.Dataset, download_to_workspace=True)


@dsl.pipeline(pipeline_config=dsl.PipelineConfig(workspace=dsl.WorkspaceConfig(size="5Gi")))
def small_workspace():
    say(text=dsl.WORKSPACE_PATH_PLACEHOLDER)


@dsl.pipeline(pipeline_config=dsl.PipelineConfig(active_deadline_seconds=0))
def configured_with_nothing():
    say()


@dsl.pipeline
def settings_of_the_run(cpu: str = "1", memory: str = "1Gi", image: str = "python:3.12"):
    limited = limit()
    first = say().set_cpu_request(cpu).set_cpu_limit(limited.output).set_memory_limit(memory)
    first.set_memory_request(memory)
    say().set_accelerator_type("nvidia.com/gpu").set_accelerator_limit(count().output)
    say().set_container_image(image)
    say().set_container_image(f"registry/{image}")
    say().set_container_image(limited.output)
    say(text=f"{cpu}").set_cpu_limit(cpu)


@dsl.pipeline
def debugged():
    say().set_debug_pause()
    say().set_debug_pause(before=True, after=False)
    say().set_debug_pause(on_error=True).set_env_variable("A", "b")
    say().set_caching_options(False)
    say().set_caching_options(True, cache_key="k")


PIPELINES = [
    in_texts,
    in_lists_and_dicts,
    in_groups,
    placeholders,
    configured,
    small_workspace,
    configured_with_nothing,
    settings_of_the_run,
    debugged,
]
