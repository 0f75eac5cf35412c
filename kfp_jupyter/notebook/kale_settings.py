"""How the steps of a notebook with Kale's tags run: tags of their cells, and settings of the whole notebook.

A tag (`limit:cpu:2`) wins over `steps_defaults`, which is a list of tags or, as Kale's programs write it, a
mapping. Settings that Kale knows and drops (CPU and memory limits, retries, time limits) are set here; what
has no meaning here is told once, for the whole notebook.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from kfp_jupyter import kubernetes
from kfp_jupyter.cells.kale import KaleNotebook, KaleStep
from kfp_jupyter.dsl import PipelineTask

# Settings of the whole that are read here or elsewhere, and those that say nothing about the pipeline.
_READ = (
    *("pipeline_name", "pipeline_description", "base_image", "docker_image", "enable_caching"),
    *("steps_defaults", "volumes", "timeout", "security_context"),
)
_SILENT = (
    *("experiment_name", "experiment", "notebook_path", "abs_working_dir", "marshal_path", "marshal_volume"),
    *("katib_metadata", "output_path", "storage_class_name", "volume_access_mode"),
)

_NOT_DONE = {
    "katib_run": "run the pipeline for each value, or loop with `dsl.ParallelFor`",
    "kfp_host": "the server is chosen by `--target`",
    "snapshot_volumes": "volumes are mounted as they are",
    "autosnapshot": "volumes are mounted as they are",
}


class KaleSettings:
    """The settings of a notebook's steps.

    Args:
        kale: The notebook.
        tell: Called with a sentence on each thing that is not done.
    """

    def __init__(self, kale: KaleNotebook, tell: Callable[[str], None]) -> None:
        self._kale = kale
        self._told: set[str] = set()
        self._out = tell
        held = kale.metadata.get("steps_defaults")
        self._defaults: dict[str, Any] = held if isinstance(held, dict) else {}
        self._common = list(map(str, held)) if isinstance(held, list) else list(_as_tags(self._defaults))
        for key, value in kale.metadata.items():
            if value and key not in (*_READ, *_SILENT):
                why = _NOT_DONE.get(key, "it is not known here")
                self._tell(f"The notebook's setting {key!r} does nothing here: {why}.")

    def image(self, step: KaleStep) -> str:
        """Return the image of a step; empty if nothing names one."""
        tags = [tag.partition(":")[2] for tag in self._tags(step) if tag.startswith("image:")]
        named = [
            *tags,
            self._defaults.get("base_image"),
            *map(self._kale.metadata.get, ("base_image", "docker_image")),
        ]
        return next((str(image) for image in named if image), "")

    def apply(self, made: PipelineTask, step: KaleStep) -> None:
        """Set what the tags of a step and the notebook's metadata ask for."""
        if (
            self._kale.metadata.get("enable_caching") is False
            or self._defaults.get("enable_caching") is False
        ):
            made.set_caching_options(enable_caching=False)
        seen: set[str] = set()
        for tag in self._tags(step):
            kind, _, rest = tag.partition(":")
            key, _, value = rest.rpartition(":") if kind == "limit" else rest.partition(":")
            what = kind if kind in ("image", "cache", "report") else f"{kind}:{key}"
            if kind == "secret":
                what = tag
            if what not in seen:
                seen.add(what)
                self._set(made, kind, key, value, tag)
        seconds = self._defaults.get("timeout") or self._kale.metadata.get("timeout")
        if seconds:
            made.set_timeout(int(seconds))
        if self._defaults.get("retry_count"):
            made.set_retry(
                int(self._defaults["retry_count"]),
                self._defaults.get("retry_interval"),
                self._defaults.get("retry_factor"),
                self._defaults.get("retry_max_interval"),
            )
        context = self._kale.metadata.get("security_context")
        if isinstance(context, dict) and context and context.get("enabled", True):
            asked = {
                key: context[key]
                for key in ("run_as_user", "run_as_group", "run_as_non_root")
                if key in context
            }
            kubernetes.set_security_context(made, **asked)
        self._mount(made)

    def _mount(self, made: PipelineTask) -> None:
        for volume in self._kale.metadata.get("volumes") or ():
            held = volume if isinstance(volume, dict) else {}
            name, path = str(held.get("name", volume)), str(held.get("mount_point") or "")
            if held.get("type") != "pvc" or not held.get("name") or not path:
                self._tell(f"The volume {name!r} is not mounted: only existing claims are.")
                continue
            kubernetes.mount_pvc(made, name, path)
            if held.get("expose_as_env_var"):
                made.set_env_variable(f"KALE_VOLUME_{name.upper().replace('-', '_').replace('.', '_')}", path)
            if held.get("snapshot"):
                self._tell(f"No snapshot of the volume {name!r} is made.")

    def _tags(self, step: KaleStep) -> list[str]:
        """Return the tags that say how a step runs; its own before those for all steps."""
        return [*step.settings, *self._common]

    def _set(self, made: PipelineTask, kind: str, key: str, value: str, tag: str) -> None:
        if kind == "limit" and key == "cpu":
            made.set_cpu_limit(value)
        elif kind == "limit" and key == "memory":
            made.set_memory_limit(value)
        elif kind == "limit":
            made.set_accelerator_type(key).set_accelerator_limit(value)
        elif kind == "annotation":
            kubernetes.add_pod_annotation(made, key, value)
        elif kind == "label":
            kubernetes.add_pod_label(made, key, value)
        elif kind == "cache":
            made.set_caching_options(enable_caching=key == "enabled")
        elif kind == "secret":
            name, _, variable = value.partition(":")
            kubernetes.use_secret_as_env(made, key, {name: variable})
        elif kind == "report" and key != "disabled":
            self._tell(f"The tag {tag!r} does nothing here: what a step prints is in its log.")

    def _tell(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            self._out(text)


def _as_tags(defaults: Mapping[str, Any]) -> Iterator[str]:
    """Yield the settings of a mapping as the tags that say the same."""
    for kind, key in (("label", "labels"), ("annotation", "annotations"), ("limit", "limits")):
        held = defaults.get(key)
        yield from (f"{kind}:{name}:{value}" for name, value in (held or {}).items())
    secrets = defaults.get("secrets")
    for secret, keys in (secrets or {}).items():
        yield from (f"secret:{secret}:{key}:{variable}" for key, variable in dict(keys).items())
    if defaults.get("generate_html_report"):
        yield "report:enabled"
