"""What names meant when a class or function was made travels with it, though they mean something else now."""

from __future__ import annotations

import pytest

from kfp_jupyter.cells.component import component_from_cell
from kfp_jupyter.cells.finding import CheckError
from kfp_jupyter.model.component import PythonStep
from tests.cells.ran import ran


def source(*cells: str) -> str:
    """Run cells, of which the last is a component, and return the text of its step."""
    around = ran(*cells[:-1])
    made = component_from_cell(cells[-1], 2, f"Cell In[{len(cells)}]", around.namespace, around=around)
    assert isinstance(made.implementation, PythonStep)
    return made.implementation.source.text


STEP = "def step() -> int:\n    return Held.rate\n"


def test_what_it_meant_is_before_what_was_made_of_it_and_what_it_means_comes_after():
    text = source(
        "rate = 1", "class Held:\n    rate = rate", "rate = 2", STEP.replace("Held.rate", "Held.rate + rate")
    )
    assert text.index("rate = 1\n") < text.index("class Held") < text.index("rate = 2\n")


def test_what_it_means_now_is_left_out_where_nothing_reads_it():
    assert "rate = 2\n" not in source("rate = 1", "class Held:\n    rate = rate", "rate = 2", STEP)


def test_a_cell_that_was_run_again_as_it_was_brings_nothing_twice():
    text = source("rate = 1", "class Held:\n    rate = rate", "rate = 1", STEP)
    assert text.count("rate = 1\n") == 1


def test_a_hint_does_not_bring_what_its_class_was():
    made = "class Held:\n    rate = 1\n    def use(self, other: Other) -> int:\n        return 1"
    text = source("class Other:\n    old = 1", made, "class Other:\n    new = 1", STEP)
    assert "new = 1" in text
    assert "old = 1" not in text


def test_a_lambda_that_a_class_calls_at_once_reads_what_the_class_was_named_after():
    text = source("Held = 7", "class Held:\n    class Inner:\n        rate = (lambda: Held)()", STEP)
    assert text.index("Held = 7\n") < text.index("class Held")


MADE = "class Held:\n    def make():\n        return Held\n    rate = make()"


@pytest.mark.parametrize(
    "made",
    [
        MADE,
        "def make():\n    return Held\nclass Held:\n    rate = make()",
        "class Held:\n    rate = sorted([7], key=lambda _: Held)[0]",
    ],
)
def test_what_a_class_calls_while_it_is_made_reads_what_the_class_was_named_after(made):
    # The cell was run twice, which is as if it was run once.
    text = source("Held = 7", made, made, STEP)
    assert text.count("class Held") == 1
    assert text.index("Held = 7\n") < text.index("class Held")


@pytest.mark.parametrize(
    "made",
    [
        "class Held:\n    def get(self):\n        return Held\n    rate = property(get)",
        "from dataclasses import field\nclass Held:\n    rate = field(default_factory=lambda: Held())",
        "class Base:\n    def make(self):\n        return Held()\nclass Held(Base):\n    rate = 1",
    ],
)
def test_what_a_class_hands_on_is_called_later_and_an_older_one_of_its_name_is_left_out(made):
    assert "old" not in source("class Held:\n    old = 1", made, STEP)


def test_what_a_class_calls_while_it_is_made_is_refused_if_what_it_reads_is_gone():
    with pytest.raises(CheckError, match="'Held' was made with another 'Held' than there is now"):
        source("Held = sum([1, 2])", MADE, STEP)


def test_what_a_class_calls_while_it_is_made_does_not_read_what_the_component_binds_below():
    made = "def make():\n    return rate\nclass Held:\n    rate = make()"
    text = source("rate = 7", made, f"rate = 8\n{STEP}")
    assert text.index("rate = 7\n") < text.index("class Held") < text.index("rate = 8\n")


def test_what_a_class_calls_reads_what_a_name_meant_that_is_made_of_the_class_now():
    made = "def make():\n    return rate\nclass Held:\n    rate = make()"
    text = source(
        "rate = 7", made, "class rate:\n    held = Held", STEP.replace("Held.rate", "rate.held.rate")
    )
    assert text.index("rate = 7\n") < text.index("class Held") < text.index("class rate")


def test_what_a_function_reads_counts_that_was_called_under_a_name_of_another_one_now():
    made = "def make():\n    return Held\nclass Held:\n    rate = make()"
    later = "def make():\n    return 8\nclass Later:\n    rate = make()"
    text = source("Held = 7", made, later, STEP.replace("Held.rate", "Held.rate + Later.rate"))
    assert (
        text.index("Held = 7\n")
        < text.index("class Held")
        < text.index("return 8")
        < text.index("class Later")
    )


def test_what_ran_again_and_was_made_of_what_was_made_of_it_is_refused():
    base = "class Base:\n    held = Held"
    step = STEP.replace("Held.rate", "Base.held.rate.held")
    with pytest.raises(CheckError) as caught:
        source("Held = 7", base, "class Held:\n    rate = Base", base, step)
    assert {finding.code for finding in caught.value.findings} == {"bound-anew"}


def test_a_decorator_that_reads_the_name_of_its_class_reads_what_that_was():
    text = source("Held = 7", "@(lambda made: made if Held else None)\nclass Held:\n    rate = 1", STEP)
    assert text.index("Held = 7\n") < text.index("class Held")


def test_what_was_calculated_and_is_gone_is_refused_with_what_to_run_again():
    with pytest.raises(CheckError, match="'Held' was made with another 'rate' than there is now") as refused:
        source("rate = sum([1, 2])", "class Held:\n    rate = rate", "rate = 2", STEP)
    assert "Cell In[2], line 2" in str(refused.value)
    assert "Run the cell that defines 'Held' again" in str(refused.value)
