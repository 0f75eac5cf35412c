"""What a pipeline gives out, and descriptions from docstrings."""


from typing import NamedTuple

from kfp import compiler, dsl
from kfp.dsl import Dataset, Input, Model, Output


@dsl.component
def load(data: Output[Dataset], path: str = "x.csv") -> int:
    """Load the data.

    It is read from
    a file.

    Args:
        path: Where the file
            is, in full.
        data: Not shown by KFP.

    Returns:
        Output: How many rows there are.
    """
    return 1


@dsl.component
def train(data: Input[Dataset], rows: int, rate: float) -> NamedTuple(
    "T", [("model", Model), ("loss", float)]
):
    """Train a model.

    Args:
        data (Dataset): What to learn from.
        rate: The learning rate: small.

    Returns:
        model: The trained model.
        loss: Its loss.

    Raises:
        ValueError: Never.
    """
    return Model(), 0.0


@dsl.pipeline(name="outputs", description="Given here, not by the docstring.")
def outputs(rate: float = 0.1) -> NamedTuple("Given", [("model", Model), ("loss", float), ("rows", int)]):
    """Not this.

    Args:
        rate: The learning rate.

    Returns:
        model: The model that comes out.
    """
    data = load()
    trained = train(data=data.outputs["data"], rows=data.outputs["Output"], rate=rate)
    given = NamedTuple("Given", [("model", Model), ("loss", float), ("rows", int)])
    return given(trained.outputs["model"], trained.outputs["loss"], data.outputs["Output"])


compiler.Compiler().compile(outputs, "outputs.yaml")
