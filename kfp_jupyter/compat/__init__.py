"""`import kfp` means this package, in this interpreter and when asked, so that files for KFP run unedited.

A finder stands first on `sys.meta_path` and answers for `kfp` and what is under it with our own modules, the
very same objects: a component made under one name is one under the other. What is not here yet is an
ImportError that says so. The real package is never touched; if it was imported before, nothing is installed.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

from kfp_jupyter.cells.component import follow_kfp
from kfp_jupyter.errors import KfpJupyterError

ROOT = "kfp"

KFP_VERSION = "2.17.0"
"""The version of the SDK whose names and rules are followed."""

MODULES = {"kfp.dsl": "kfp_jupyter.dsl", "kfp.compiler": "kfp_jupyter.compiler"}
"""Our module for each of KFP's."""


class AliasError(KfpJupyterError):
    """`kfp` cannot be made to mean this package."""


class NotHereError(KfpJupyterError, ImportError):
    """A module of KFP's that this package does not have."""


class _Aliases(MetaPathFinder, Loader):
    """Finds `kfp` and its modules, and loads ours."""

    def find_spec(
        self, name: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name == ROOT or name in MODULES:
            return ModuleSpec(name, self, is_package=name == ROOT)
        if name.startswith(f"{ROOT}."):
            raise NotHereError(
                f"The module {name!r} is not part of kfp_jupyter yet.",
                remedy=f"There are: {', '.join(MODULES)}. `kfp_jupyter.compat.uninstall()` ends the alias.",
            )
        return None

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        if spec.name == ROOT:
            return None
        ours = importlib.import_module(MODULES[spec.name])
        # The import system will write its spec into the module, which has one already.
        spec.loader_state = ours.__spec__
        return ours

    def exec_module(self, module: ModuleType) -> None:
        if module.__name__ != ROOT:
            alias = module.__spec__
            module.__spec__ = alias.loader_state if alias is not None else None
            return
        module.__dict__["__version__"] = KFP_VERSION
        module.__dict__["__doc__"] = "Kubeflow Pipelines' names, meaning kfp_jupyter."
        for name in MODULES:
            setattr(module, name.rpartition(".")[2], importlib.import_module(name))


_aliases = _Aliases()


def installed() -> bool:
    """Say whether `kfp` means this package."""
    return _aliases in sys.meta_path


def install() -> None:
    """Make `import kfp` mean this package, and components without an image take KFP's default. Twice is once.

    Raises:
        AliasError: The real kfp was imported already.
    """
    if installed():
        return
    if ROOT in sys.modules:
        raise AliasError(
            "The real kfp was imported already, so its name cannot mean kfp_jupyter any more.",
            remedy="Restart the kernel, and call `kfp_jupyter.compat.install()` before anything imports kfp.",
        )
    sys.meta_path.insert(0, _aliases)
    follow_kfp(True)


def uninstall() -> None:
    """Give the name back; modules that were imported under it stay usable where they are held."""
    if installed():
        sys.meta_path.remove(_aliases)
        for name in [name for name in sys.modules if name == ROOT or name.startswith(f"{ROOT}.")]:
            del sys.modules[name]
        follow_kfp(False)
