"""The places where a pipeline can run, their spelling, and the engine of each.

`local` is this machine; `argo` is the current kubeconfig context (or the cluster that this process runs in),
`argo:CONTEXT` another one, each with `/NAMESPACE` behind it if it is not the context's own. Contexts' names
may hold `/`, `:` and `@` (EKS names them by their ARN), so a text is compared with the known contexts before
it is split.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace

from kfp_jupyter.engines.base import Engine
from kfp_jupyter.engines.kubeconfig import Kubeconfig, kubeconfig_place, read_kubeconfig
from kfp_jupyter.errors import KfpJupyterError
from kfp_jupyter.model.check import suggestion
from kfp_jupyter.model.run import Target

LOCAL = Target("local")

_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


class TargetError(KfpJupyterError):
    """A text that names no target."""


@dataclass(frozen=True, slots=True)
class Place:
    """A target to choose from.

    Attributes:
        id: Its spelling, as `parse_target` reads it.
        label: Its name for people.
        kind: The engine: `local` or `argo`.
    """

    id: str
    label: str
    kind: str


def places(kubeconfig: Kubeconfig | None = None) -> list[Place]:
    """Return what there is to choose from: this machine, then the current context, then the others."""
    config = kubeconfig or read_kubeconfig()
    found = [Place("local", "This machine", "local")]
    if not config.contexts and os.environ.get("KUBERNETES_SERVICE_HOST"):
        found.append(Place("argo", "This cluster", "argo"))
    ordered = sorted(config.contexts, key=lambda name: name != config.current)
    return found + [Place(f"argo:{name}", name, "argo") for name in ordered]


def parse_target(text: str) -> Target:
    """Return the target that a text names: `local`, `argo`, `argo:CONTEXT` or `argo:CONTEXT/NAMESPACE`.

    Raises:
        TargetError: It names none; the message lists the known ones.
    """
    text = text.strip()
    if text == "local":
        return LOCAL
    kind, colon, rest = text.partition(":")
    if not colon:
        kind, _, namespace = text.partition("/")
        if kind == "argo" and (not namespace or _NAMESPACE.fullmatch(namespace)):
            return Target("argo", "", namespace)
        raise _unknown(text, read_kubeconfig())
    config = read_kubeconfig()
    if kind == "argo":
        if rest in config.contexts:
            return Target("argo", rest)
        name, _, namespace = rest.rpartition("/")
        if name in config.contexts and _NAMESPACE.fullmatch(namespace):
            return Target("argo", name, namespace)
    raise _unknown(text, config)


def named(target: Target) -> Target:
    """Return the target by the name of its context, if it stands for the kubeconfig's current one.

    What is current changes (`kubectl config use-context`); a run is where it was started.
    """
    if target.kind == "argo" and not target.name:
        return replace(target, name=read_kubeconfig().current)
    return target


def engine_for(target: Target) -> Engine:
    """Return the engine that runs pipelines on a target.

    Raises:
        TargetError: There is no such engine.
    """
    if target.kind == "local":
        from kfp_jupyter.engines.local import LocalEngine

        return LocalEngine()
    if target.kind == "argo":
        from kfp_jupyter.engines.argo import ArgoEngine

        return ArgoEngine(target)
    raise TargetError(
        f"There is no engine for {target.kind!r}.", remedy="A target is `local`, `argo` or `argo:CONTEXT`."
    )


def _unknown(text: str, config: Kubeconfig) -> TargetError:
    known = [place.id for place in places(config)]
    remedy = f"{suggestion(text, known)} The targets are: {', '.join(known)}.".strip()
    kind, _, context = text.partition(":")
    what = "."
    if kind == "argo" and config.problems:
        what = f": {config.problems[0][0].lower()}{config.problems[0][1:]}"
        remedy = "Mend that file until `kubectl config view` takes it."
    elif kind == "argo" and not config.contexts:
        what = f": there is no kubeconfig at {kubeconfig_place()}."
        remedy = "Put your cluster's kubeconfig there, or set KUBECONFIG to its path."
    elif kind == "argo" and context:
        what = f": the kubeconfig has no context {context!r}."
        if "/" in context:
            what = f": {context!r} is neither a context of the kubeconfig nor CONTEXT/NAMESPACE."
    return TargetError(f"{text!r} is no target{what}", remedy=remedy)
