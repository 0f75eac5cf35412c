"""`import kfp` means this package only while it is asked to."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from types import ModuleType

import pytest

from kfp_jupyter import compat, dsl
from kfp_jupyter.compat import AliasError, NotHereError
from kfp_jupyter.model.component import PythonStep


@pytest.fixture
def alias() -> Iterator[None]:
    compat.install()
    yield
    compat.uninstall()


def test_the_names_of_kfp_are_our_very_modules(alias: None) -> None:
    kfp = importlib.import_module("kfp")
    assert kfp.__version__ == "2.17.0"
    assert kfp.dsl is dsl
    assert importlib.import_module("kfp.compiler") is importlib.import_module("kfp_jupyter.compiler")
    # Our module still knows itself by its own name, or it could not be reloaded.
    assert dsl.__spec__ is not None
    assert dsl.__spec__.name == "kfp_jupyter.dsl"


def test_what_is_not_here_yet_is_an_import_error_that_says_so(alias: None) -> None:
    with pytest.raises(NotHereError, match=r"'kfp\.registry' is not part of kfp_jupyter yet"):
        importlib.import_module("kfp.registry")
    with pytest.raises(ImportError):
        exec("from kfp.dsl import there_is_no_such_name")


def test_uninstalling_gives_the_name_back() -> None:
    compat.install()
    compat.install()
    importlib.import_module("kfp.dsl")
    compat.uninstall()
    assert not compat.installed()
    assert not [name for name in sys.modules if name.partition(".")[0] == "kfp"]
    compat.uninstall()


def test_a_kfp_that_was_imported_before_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "kfp", ModuleType("kfp"))
    with pytest.raises(AliasError, match="Restart the kernel"):
        compat.install()
    assert not compat.installed()


def test_components_take_kfps_image_while_the_alias_is_there(alias: None) -> None:
    @dsl.component
    def step() -> None:
        pass

    assert isinstance(step.model.implementation, PythonStep)
    assert step.model.implementation.base_image == "python:3.11"
