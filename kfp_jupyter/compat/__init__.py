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
from kfp_jupyter.cells.origin import caller, place_line
from kfp_jupyter.dsl.older_names import missing_name
from kfp_jupyter.errors import KfpJupyterError

ROOT = "kfp"

KFP_VERSION = "2.17.0"
"""The version of the SDK whose names and rules are followed."""

MODULES = {
    "kfp.dsl": "kfp_jupyter.dsl",
    "kfp.compiler": "kfp_jupyter.compiler",
    "kfp.compiler.compiler": "kfp_jupyter.compiler.compiler",
    "kfp.components": "kfp_jupyter.components",
    "kfp.kubernetes": "kfp_jupyter.kubernetes",
    "kfp.kubernetes.config_map": "kfp_jupyter.kubernetes.config_map",
    "kfp.kubernetes.empty_dir": "kfp_jupyter.kubernetes.volume",
    "kfp.kubernetes.field": "kfp_jupyter.kubernetes.pod",
    "kfp.kubernetes.image": "kfp_jupyter.kubernetes.pod",
    "kfp.kubernetes.node_affinity": "kfp_jupyter.kubernetes.node",
    "kfp.kubernetes.node_selector": "kfp_jupyter.kubernetes.node",
    "kfp.kubernetes.pod_metadata": "kfp_jupyter.kubernetes.pod",
    "kfp.kubernetes.secret": "kfp_jupyter.kubernetes.secret",
    "kfp.kubernetes.security_context": "kfp_jupyter.kubernetes.pod",
    "kfp.kubernetes.timeout": "kfp_jupyter.kubernetes.pod",
    "kfp.kubernetes.toleration": "kfp_jupyter.kubernetes.node",
    "kfp.kubernetes.volume": "kfp_jupyter.kubernetes.volume",
    "kfp.local": "kfp_jupyter.local",
    "kfp.dsl.types.artifact_types": "kfp_jupyter.executor.artifacts",
    "kfp.v2.dsl": "kfp_jupyter.dsl",
    "kfp.v2.compiler": "kfp_jupyter.compiler",
    "kfp.v2.components": "kfp_jupyter.components",
}
"""Our module for each of KFP's."""

PACKAGES = (ROOT, "kfp.v2", "kfp.dsl.types")
"""Modules of KFP's that only hold others."""

OLDER_MODULES = {
    "kfp.aws": "Use `kubernetes.use_secret_as_env` for the keys.",
    "kfp.azure": "Use `kubernetes.use_secret_as_env` for the keys.",
    "kfp.containers": "Build images with docker or podman, and name them in `base_image`.",
    "kfp.gcp": "Use `kubernetes.use_secret_as_volume` for the key file.",
    "kfp.onprem": "Use `kubernetes.mount_pvc`.",
}
"""Modules that only KFP 1 has, and what to write instead."""

LAZY = ("kfp.kubernetes",)
"""Modules that a program has only when it imports them, as with KFP, where they are another package."""


class AliasError(KfpJupyterError):
    """`kfp` cannot be made to mean this package."""


class NotHereError(KfpJupyterError, ImportError):
    """A module of KFP's that this package does not have."""


class Client:
    """KFP's client, which is not here: its name can be imported, as many programs do, but not used."""

    def __init__(self, *_: object, **__: object) -> None:
        raise NotHereError(
            "`kfp.Client` is not part of kfp_jupyter yet.",
            where=place_line(*caller()),
            remedy="Run pipelines with `.run(…)`, or compile them and upload the file to the server.",
        )


class _Aliases(MetaPathFinder, Loader):
    """Finds `kfp` and its modules, and loads ours."""

    def find_spec(
        self, name: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name in PACKAGES or name in MODULES:
            return ModuleSpec(name, self, is_package=name in PACKAGES)
        if name.startswith(f"{ROOT}."):
            if name in OLDER_MODULES:
                raise NotHereError(
                    f"The module {name!r} is of KFP 1; KFP 2 has none of that name.",
                    remedy=OLDER_MODULES[name],
                )
            there = ", ".join(module for module in MODULES if module.count(".") == 1)
            raise NotHereError(
                f"The module {name!r} is not part of kfp_jupyter yet.",
                remedy=f"There are: {there}. `kfp_jupyter.compat.uninstall()` ends the alias.",
            )
        return None

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        if spec.name in PACKAGES:
            return None
        ours = importlib.import_module(MODULES[spec.name])
        # The import system will write its spec into the module, which has one already.
        spec.loader_state = ours.__spec__
        return ours

    def exec_module(self, module: ModuleType) -> None:
        alias = module.__spec__
        name = alias.name if alias is not None else module.__name__
        if name not in PACKAGES:
            module.__spec__ = alias.loader_state if alias is not None else None
            return
        if name == ROOT:
            module.__dict__.update(__version__=KFP_VERSION, Client=Client, TYPE_CHECK=True)
            module.__dict__["__getattr__"] = missing_name(ROOT)
            module.__dict__["__doc__"] = "Kubeflow Pipelines' names, meaning kfp_jupyter."
        for theirs, ours in MODULES.items():
            package, _, last = theirs.rpartition(".")
            if package == name and theirs not in LAZY:
                setattr(module, last, importlib.import_module(ours))


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
