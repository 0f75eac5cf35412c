"""Kernels for the tests of this folder."""

from __future__ import annotations

import pytest

from tests.notebook.kernel import Kernel, kernel


@pytest.fixture
def fresh(tmp_path) -> Kernel:
    """A kernel of the test's own, with the extension loaded."""
    with kernel(tmp_path) as made:
        assert made.run("%load_ext kfp_jupyter").status == "ok"
        yield made


@pytest.fixture(scope="module")
def shared(tmp_path_factory) -> Kernel:
    """A kernel that the tests of a module share, with the extension and two components loaded."""
    with kernel(tmp_path_factory.mktemp("data")) as made:
        for cell in (
            "%load_ext kfp_jupyter",
            "%%component\ndef load(n: int = 3) -> int:\n    return n\n",
            "%%component\ndef train(n: int, rate: float = 0.1) -> float:\n    return n * rate\n",
        ):
            done = made.run(cell)
            assert done.status == "ok", done.traceback
        yield made
