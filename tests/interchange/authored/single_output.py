"""A pipeline with one output, given a name and defaults when it is compiled."""


from kfp import compiler, dsl


@dsl.component
def double(number: int) -> int:
    """Double a number.

    :param number: the number
    """
    return 2 * number


@dsl.pipeline
def single_output(number: int, factor: float = 1.5) -> int:
    """One line.

    And a paragraph
    of two."""
    return double(number=double(number=number).output).output


compiler.Compiler().compile(
    single_output,
    "single_output.yaml",
    pipeline_name="another-name",
    pipeline_display_name="Another name",
    pipeline_parameters={"number": 4},
)
