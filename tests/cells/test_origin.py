"""Where code was written, in the user's words."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from kfp_jupyter.cells.origin import caller, enter_text, place_name


def test_a_path_is_shown_from_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert place_name(str(tmp_path / "a" / "b.py")) == str(Path("a", "b.py"))
    assert place_name("/elsewhere/b.py") == "/elsewhere/b.py"
    assert place_name("<string>") == "<string>"


def test_ipython_says_which_cell_a_made_up_file_is(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {"/made/up/123.py": ("Cell", "In[3]")}
    module = ModuleType("IPython")
    module.get_ipython = lambda: SimpleNamespace(compile=SimpleNamespace(format_code_name=names.get))  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", module)
    assert place_name("/made/up/123.py") == "Cell In[3]"
    assert place_name("<string>") == "<string>"


def test_the_caller_is_code_outside_of_the_package() -> None:
    file, line = caller()
    assert Path(file).name == Path(__file__).name
    assert Path(file).read_text().splitlines()[line - 1].strip() == "file, line = caller()"


def test_tracebacks_show_the_lines_of_an_entered_text() -> None:
    enter_text("def f():\n    raise ValueError('shown')\n", "Cell In[99]", 5)
    namespace: dict[str, object] = {}
    exec(compile("\n" * 4 + "def f():\n    raise ValueError('shown')\n", "Cell In[99]", "exec"), namespace)
    with pytest.raises(ValueError, match="shown") as raised:
        namespace["f"]()  # type: ignore[operator]
    last = traceback.extract_tb(raised.tb)[-1]
    assert (last.lineno, last.line) == (6, "raise ValueError('shown')")
