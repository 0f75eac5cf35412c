"""Findings in a kernel: under the cells they are of, as data that finds its way to them, and all at once."""

from __future__ import annotations

import pytest

MIME = "application/vnd.kfp-jupyter.findings.v1+json"
WARNED = "%%component\ndef warned(n: int, unused: int) -> int:\n    list = [n]\n    return list[0]\n"
WRONG = "%%component\ndef wrong(n: int) -> int:\n    return n * facter\n"
DECORATED = (
    "from kfp_jupyter import dsl\n"
    "@dsl.component\n"
    "def decorated(ünused: int, n: int) -> int:\n"
    "    return helper(n)\n"
)
HELPER = "def helper(n):\n    import yaml\n    return yaml.safe_load(n)\n"


@pytest.fixture(scope="module")
def kernel(shared):
    """A kernel with a helper that needs a package."""
    assert run(shared, HELPER, "of-helper").status == "ok"
    return shared


def run(kernel, text, cell_id=""):
    """Run a cell, with an id as JupyterLab gives it."""
    message = kernel.client.session.msg(
        "execute_request",
        {"code": text, "silent": False, "store_history": True, "allow_stdin": False, "stop_on_error": True},
    )
    message["metadata"] = {"cellId": cell_id}
    return kernel.finish(kernel.send(message))


def found(cell):
    """Return the findings in a cell's outputs, a list for each output that has them."""
    return [bundle[MIME]["findings"] for bundle in cell.bundles if MIME in bundle]


def codes(findings):
    return [held["code"] for held in findings]


def marked(held, text):
    """Return the text of a cell that a finding is about, by its line and columns."""
    where = held["where"]
    return text.splitlines()[where["line"] - 1][where["column"] : where["end"]]


def test_warnings_of_a_component_cell_follow_its_card_and_know_their_cell(kernel):
    done = run(kernel, WARNED, "of-warned")
    card, told = done.bundles
    assert "component" in card["text/html"]
    assert MIME not in card
    findings = told[MIME]["findings"]
    assert codes(findings) == ["unused-input", "shadowed-builtin"]
    assert [marked(held, WARNED) for held in findings] == ["unused", "list"]
    assert {held["where"]["id"] for held in findings} == {"of-warned"}
    assert [held["where"]["text"] for held in findings] == [
        "def warned(n: int, unused: int) -> int:",
        "    list = [n]",
    ]
    assert told[MIME]["told"] == []
    # For readers without our front end.
    assert "never used" in told["text/html"]
    assert "unused-input" in told["text/plain"]


def test_an_error_carries_its_data_beside_its_text(kernel):
    done = run(kernel, WRONG, "of-wrong")
    assert done.ename == "CheckError"
    assert "facter" in done.traceback
    ((held,),) = found(done)
    assert (held["severity"], held["code"], held["where"]["id"]) == ("error", "undefined-name", "of-wrong")
    assert marked(held, WRONG) == "facter"
    (bundle,) = done.bundles
    # The traceback has told it: whoever shows both shall not say it twice.
    assert bundle[MIME]["told"] == ["error"]
    assert bundle["text/plain"] == ""


def test_any_error_of_ours_that_names_a_line_is_a_finding_there(kernel):
    text = "%%component\ndef untyped(n) -> int:\n    return n\n"
    done = run(kernel, text, "of-untyped")
    assert done.status == "error"
    ((held,),) = found(done)
    assert held["where"]["id"] == "of-untyped"
    assert held["where"]["text"] == "def untyped(n) -> int:"
    assert held["remedy"]


def test_a_magic_line_that_cannot_be_read_is_a_finding_in_the_first_line(kernel):
    done = run(kernel, "%%component --imge x\ndef f() -> int:\n    return 1\n", "of-line")
    assert done.ename == "UsageError"
    ((held,),) = found(done)
    assert (held["where"]["id"], held["where"]["line"]) == ("of-line", 1)
    assert held["where"]["text"] == "%%component --imge x"


def test_warnings_of_a_decorated_component_are_shown_once_in_the_cells_they_are_about(kernel):
    run(kernel, HELPER, "of-helper")
    done = run(kernel, DECORATED, "of-decorated")
    (findings,) = found(done)
    missing, unused = sorted(findings, key=lambda held: held["code"])
    assert (unused["code"], unused["where"]["id"]) == ("unused-input", "of-decorated")
    # Columns are characters, whatever they take in bytes.
    assert marked(unused, DECORATED) == "ünused"
    assert (missing["code"], missing["where"]["id"]) == ("package-missing", "of-helper")
    assert missing["where"]["text"] == "    import yaml"
    assert found(run(kernel, "1 + 1")) == []


def test_blank_lines_before_a_cell_do_not_shift_the_text_of_its_lines(kernel):
    ((_, held),) = found(run(kernel, f"\n\n{WARNED}", "of-blank"))
    assert held["where"]["text"] == "    list = [n]"


def test_check_shows_components_and_cells_that_failed_until_they_are_mended(fresh):
    assert "No components yet." in run(fresh, "%kfp check").stdout
    run(fresh, WRONG, "of-wrong")
    run(fresh, WARNED, "of-warned")
    (findings,) = found(run(fresh, "%kfp check", "of-check"))
    assert codes(findings) == ["undefined-name", "unused-input", "shadowed-builtin"]
    assert [held["where"]["id"] for held in findings] == ["of-wrong", "of-warned", "of-warned"]
    run(fresh, WRONG.replace("facter", "2"), "of-wrong")
    run(fresh, WARNED.replace(", unused: int", "").replace("list", "items"), "of-warned")
    done = run(fresh, "%kfp check", "of-check")
    assert found(done) == []
    assert "Nothing is wrong with the notebook's 2 components." in done.stdout


def test_where_the_front_end_gives_no_ids_a_place_has_its_number_and_text(kernel):
    done = kernel.run(WARNED)
    ((_, held),) = found(done)
    number = kernel.replies[done.request]["content"]["execution_count"]
    assert held["where"]["cell"] == f"Cell In[{number}]"
    assert held["where"]["id"] == ""
    assert held["where"]["text"] == "    list = [n]"


def test_a_warning_about_a_pipeline_follows_its_picture_once(fresh):
    run(fresh, "from kfp_jupyter import dsl\nfrom kfp_jupyter.dsl import component, pipeline")
    run(fresh, "@component\ndef some() -> list:\n    return [9, 10]\n@component\ndef step(n: int): print(n)")
    calls = "with dsl.ParallelFor(some().output) as n:\n    with dsl.If(n > 9):\n        step(n=n)"
    (shown,) = found(run(fresh, f"%%pipeline whole\n{calls}"))
    assert codes(shown) == ["compared-as-text"]
    assert shown[0]["where"]["line"] == 3
    body = calls.replace("\n", "\n    ")
    (shown,) = found(run(fresh, f"@pipeline\ndef other():\n    {body}"))
    assert codes(shown) == ["compared-as-text"]
    assert found(run(fresh, "1 + 1")) == []
