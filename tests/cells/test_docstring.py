"""What a docstring says."""

from __future__ import annotations

from kfp_jupyter.cells.docstring import Docstring, read


def test_google_sections_are_read() -> None:
    text = """Short line.

    A longer text: with a colon.

    Args:
        first (int): One.
        second: Two
            and more:
              indented,
            less.
        *rest: Others.

    Returns:
        name: The result.

    Raises:
        ValueError: Not shown.
    """
    assert read(text) == Docstring(
        "Short line.\nA longer text: with a colon.",
        {"first": "One.", "second": "Two\nand more:\n  indented,\nless.", "*rest": "Others."},
        {"name": "The result."},
    )


def test_rest_fields_are_read() -> None:
    text = """Short.

    :param int first: One.
    :param second: Two
        and more.
    :returns: Nothing.
    """
    assert read(text) == Docstring("Short.", {"first": "One.", "second": "Two\nand more."})


def test_a_plain_docstring_is_a_summary() -> None:
    assert read(None) == Docstring()
    assert read("One line.") == Docstring("One line.")
    assert read("Two lines\nof text: here.") == Docstring("Two lines\nof text: here.")
    assert read("Empty section.\n\nArgs:\n") == Docstring("Empty section.")
