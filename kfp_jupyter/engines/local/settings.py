"""The settings of a task as they hold for its step: placeholders replaced, and told to a step that asks."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

from kfp_jupyter.engines.local.cluster_settings import variables
from kfp_jupyter.engines.local.exchange import Given
from kfp_jupyter.engines.local.given import GivenError, input_names
from kfp_jupyter.engines.local.placeholder import PlaceholderError, has_placeholder, replaced
from kfp_jupyter.engines.local.step import Step
from kfp_jupyter.engines.local.volumes import settled_volumes
from kfp_jupyter.model.cel_values import text_of
from kfp_jupyter.model.component import Component
from kfp_jupyter.model.graph import Task
from kfp_jupyter.model.settings import Resources, TaskSettings
from kfp_jupyter.model.types import Json, ParameterType


def settled(step: Step, data: Path) -> tuple[Task, Given]:
    """Return a step's task under its path and with its settings resolved, and what it gets.

    Args:
        step: The step.
        data: The folder of all runs' data, where secrets and config maps are.

    Raises:
        GivenError: A value is not there.
    """
    given = step.given()
    settings = replace(step.task.settings, retry=step.retry)
    if has_placeholder([settings.env, settings.image, *_texts(settings.resources)]):
        settings = _resolved(step, settings, given)
    given, settings = _told(step.component, given, settings)
    if settings.kubernetes:
        mounted = settled_volumes(settings.kubernetes, data, step.scope)
        settings = replace(settings, kubernetes=mounted)
        more = variables(settings.kubernetes, data, step.scope, step.path)
        settings = replace(settings, env=(*settings.env, *more))
    return replace(step.task, name=step.path, settings=settings), given


def _resolved(step: Step, settings: TaskSettings, given: Given) -> TaskSettings:
    names = {
        **step.scope.facts.of_task(step.task.name, step.path),
        **input_names(given.parameters, given.others, given.artifacts),
    }

    def text(value: str) -> str:
        return text_of(replaced(value, names))

    try:
        return replace(
            settings,
            env=tuple((name, text(value)) for name, value in settings.env),
            image=text(settings.image),
            resources=Resources(*map(text, _texts(settings.resources))),
        )
    except PlaceholderError as error:
        raise GivenError(f"A setting cannot be had: {error}.") from None


def _texts(resources: Resources) -> list[str]:
    return [getattr(resources, item.name) for item in fields(resources)]


def _told(component: Component, given: Given, settings: TaskSettings) -> tuple[Given, TaskSettings]:
    """Give the settings to a component that asks for them; those that it takes over do not hold for itself.

    Reference: `TaskConfigPassthrough` in
    https://kubeflow-pipelines.readthedocs.io/en/stable/source/dsl.html
    """
    asked = [spec.name for spec in component.inputs if spec.type is ParameterType.TASK_CONFIG]
    if not asked:
        return given, settings
    wanted = {held.field: held.apply_to_task for held in component.passthroughs}
    config: dict[str, Json] = {}
    if "RESOURCES" in wanted:
        config["resources"] = _kubernetes_resources(settings.resources)
        if not wanted["RESOURCES"]:
            settings = replace(settings, resources=Resources())
    if "ENV" in wanted:
        config["env"] = [{"name": name, "value": value} for name, value in settings.env]
        if not wanted["ENV"]:
            settings = replace(settings, env=())
    for field, name in (
        ("KUBERNETES_NODE_SELECTOR", "nodeSelector"),
        ("KUBERNETES_TOLERATIONS", "tolerations"),
    ):
        if field in wanted and name in settings.kubernetes:
            held = settings.kubernetes[name]
            config[name] = held.get("labels", held) if isinstance(held, dict) else held
    return replace(given, parameters={**given.parameters, **dict.fromkeys(asked, config)}), settings


def _kubernetes_resources(resources: Resources) -> Json:
    """Return resources as a pod's container has them."""
    requests = {"cpu": resources.cpu_request, "memory": resources.memory_request}
    limits = {"cpu": resources.cpu_limit, "memory": resources.memory_limit}
    if resources.accelerator_type:
        limits[resources.accelerator_type] = resources.accelerator_count or "1"
    return {
        "requests": {name: value for name, value in requests.items() if value},
        "limits": {name: value for name, value in limits.items() if value},
    }
