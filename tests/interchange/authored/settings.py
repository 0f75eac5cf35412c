"""What can be set on a task."""


from kfp import compiler, dsl


@dsl.component
def work(n: int = 1) -> int:
    return n


@dsl.pipeline(name="Settings of Tasks", display_name="Settings", pipeline_root="s3://bucket/root")
def settings():
    work().set_caching_options(False)
    work().set_caching_options(True, "my-key")
    work().set_retry(3)
    work().set_retry(
        num_retries=2, backoff_duration="90s", backoff_factor=1.5, backoff_max_duration="10m"
    ).set_display_name("Twice more")
    work().set_env_variable("A", "1").set_env_variable("B", "two words").set_env_variable("A", "3")
    work().set_cpu_request("500m").set_cpu_limit("2").set_memory_request("512Mi").set_memory_limit("4G")
    work().set_cpu_limit("0.5").set_memory_limit("1000000000")
    work().set_accelerator_type("nvidia.com/gpu")
    work().set_accelerator_type("nvidia.com/gpu").set_accelerator_limit(2)
    work().set_accelerator_limit("4").set_accelerator_type("TPU_V3")
    work().set_container_image("registry.example/image:1")


compiler.Compiler().compile(settings, "settings.yaml")
