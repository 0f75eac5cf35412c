"""Source around a function with arguments that our executor does not know: embedded files, `TaskConfig`.

KFP's executor knows them, so these fragments are only for ours: they count as not written by the user, and
are left out where KFP's runs the step.
"""

from __future__ import annotations

from collections.abc import Mapping

from kfp_jupyter.executor.artifacts import ARTIFACT_CLASSES
from kfp_jupyter.model.component import PREAMBLE, Fragment, Source

_BEFORE = """\
class _EmbeddedInput:
    def __class_getitem__(cls, held):
        return Optional[held]

class _TaskConfig:
    def __init__(self, given):
        for name in "affinity tolerations nodeSelector env volumes volumeMounts resources".split():
            python = "".join("_" + letter.lower() if letter.isupper() else letter for letter in name)
            setattr(self, python, (given or dict()).get(name))

dsl.EmbeddedInput = EmbeddedInput = _EmbeddedInput
dsl.TaskConfig = TaskConfig = Optional[dict]
"""

_AFTER = """\
def _adapted(function):
    def call(**given):
        for name, kind in [{embedded}]:
            path = globals().get("__KFP_EMBEDDED_ASSET_FILE", __KFP_EMBEDDED_ASSET_DIR)
            given[name] = kind(name=name, uri=path)
        for name in {configs!r}:
            given[name] = _TaskConfig(given.get(name))
        return function(**given)
    call.__wrapped__ = function
    return call

{function} = _adapted({function})
"""


def adapted(source: Source, function: str, embedded: Mapping[str, type], configs: list[str]) -> Source:
    """Return a source whose function gets these arguments.

    Args:
        source: The source.
        function: The function's name.
        embedded: The class of each argument that gets what is embedded.
        configs: The arguments that get the task's own settings.
    """
    if not embedded and not configs:
        return source
    known = {kind.__name__ for kind in ARTIFACT_CLASSES}
    pairs = ", ".join(
        f"({name!r}, dsl.{kind.__name__ if kind.__name__ in known else 'Artifact'})"
        for name, kind in embedded.items()
    )
    after = _AFTER.format(embedded=pairs, configs=configs, function=function)
    first, *others = source.fragments
    own = [first, Fragment(_BEFORE, PREAMBLE), *others, Fragment(after, PREAMBLE)]
    return Source(tuple(own))
