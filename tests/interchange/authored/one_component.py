"""A component compiled by itself."""


from kfp import compiler, dsl
from kfp.dsl import Dataset, Input, Metrics, Output


@dsl.component(base_image="python:3.11-slim")
def score(data: Input[Dataset], metrics: Output[Metrics], threshold: float = 0.5, label: str = "a") -> bool:
    """Score the data."""
    return True


compiler.Compiler().compile(score, "one_component.yaml")
