"""Stand-ins for `kfp` and `kfp_jupyter` inside a step, so that authoring code in the source can be imported.

Every module under these two packages is one stub: it offers the artifact classes and annotations, and
authoring names that give back what they decorate. Asked for anything else (such as `kfp.Client`), the stubs
make way for the real package if the step has it.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any

from kfp_jupyter.executor.annotations import Input, InputPath, Output, OutputPath, PipelineTaskFinalStatus
from kfp_jupyter.executor.artifacts import ARTIFACT_CLASSES, get_uri

ROOTS = ("kfp", "kfp_jupyter")

AUTHORING = (
    "component container_component notebook_component pipeline importer Condition If Elif Else OneOf"
    " ParallelFor Collected ExitHandler ContainerSpec ConcatPlaceholder IfPresentPlaceholder PipelineTask"
    " PipelineConfig TaskConfig"
)
"""Names that a component's cell may hold though they mean nothing inside a step."""


def authoring(*args: Any, **kwargs: Any) -> Any:
    """Stand for a decorator, with or without arguments: give back the function as it is."""
    return args[0] if len(args) == 1 and callable(args[0]) and not kwargs else authoring


def offered() -> dict[str, Any]:
    """Return what every stub module offers, by name."""
    named: tuple[Any, ...] = (*ARTIFACT_CLASSES, InputPath, OutputPath, PipelineTaskFinalStatus, get_uri)
    names: dict[str, Any] = dict.fromkeys(AUTHORING.split(), authoring)
    names.update({held.__name__: held for held in named}, Input=Input, Output=Output)
    return names


class Stubs:
    """Finds and makes the stub modules."""

    def install(self) -> None:
        """Stand before every other finder, and in the place of what is imported already."""
        _taken(ROOTS)
        sys.meta_path.insert(0, self)

    def find_spec(self, name: str, *_: Any) -> Any:
        """Return a spec for `kfp`, `kfp_jupyter` and every module under them."""
        ours = name.partition(".")[0] in ROOTS
        return type(sys.__spec__)(name, self, is_package=True) if ours else None  # type: ignore[arg-type]

    def create_module(self, spec: Any) -> None:
        """Leave the module to the import system."""

    def exec_module(self, module: ModuleType) -> None:
        """Fill a stub module."""
        names = offered()
        module.__dict__.update(names, __all__=list(names))

        def missing(attribute: str) -> Any:
            if attribute.startswith("__"):
                raise AttributeError(attribute)
            if module.__name__ in ROOTS and attribute in (
                "dsl",
                "components",
                "compiler",
                "kubernetes",
                "local",
            ):
                return import_module(module.__name__ + "." + attribute)
            return getattr(self._real(module.__name__, attribute), attribute)

        module.__dict__["__getattr__"] = missing

    def _real(self, name: str, attribute: str) -> ModuleType:
        root = name.partition(".")[0]
        stubs = _taken((root,))
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        try:
            return import_module(name)
        except ImportError:
            self.install()
            sys.modules.update(stubs)
            raise AttributeError(
                f"a step has {name}.{attribute} only if its packages hold {root!r}"
            ) from None


def _taken(roots: tuple[str, ...]) -> dict[str, ModuleType]:
    """Take the modules under these packages out of `sys.modules`."""
    return {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] in roots}
