"""`@pipeline`: a function as a pipeline. It is traced at once: called with values to come, it adds its tasks.

Running is the business of floors above. They put their function into `run_hook`, and other writers into
`writers`, so that `p.run(...)` and `p.compile(...)` reach them.
Reference: https://kubeflow-pipelines.readthedocs.io/en/stable/source/dsl.html#kfp.dsl.pipeline
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Protocol, overload

from kfp_jupyter.cells.errors import ComponentError, SignatureError
from kfp_jupyter.cells.finding import Finding
from kfp_jupyter.cells.interface import read_interface
from kfp_jupyter.cells.origin import caller, place_line, place_name
from kfp_jupyter.dsl.base_component import INIT, NotInitializedError, NotSupportedError
from kfp_jupyter.dsl.outside_call import Called, outside_call
from kfp_jupyter.dsl.pipeline_builder import PipelineBuilder, current_builder
from kfp_jupyter.dsl.pipeline_config import PipelineConfig
from kfp_jupyter.dsl.pipeline_task import PipelineTask
from kfp_jupyter.dsl.reloaded import Reloaded
from kfp_jupyter.model.check import ArgumentError, bind_arguments
from kfp_jupyter.model.component import Component, InputSpec
from kfp_jupyter.model.pipeline import Pipeline, PipelineError
from kfp_jupyter.model.types import Json


class OutputFileError(PipelineError):
    """A compiled pipeline cannot be written to its file."""


class RunHook(Protocol):
    """Starts a run of a pipeline; `arguments` are bound, `target` is empty for the chosen one."""

    def __call__(self, pipeline: Pipeline, arguments: Mapping[str, Json], *, target: str, wait: bool) -> Any:
        """Return the handle of the run."""
        ...


run_hook: RunHook | None = None
"""What `PipelineFunction.run` calls; set by the workbench."""


def _kfp_yaml(pipeline: Pipeline) -> str:
    from kfp_jupyter.interchange.write import to_yaml

    return to_yaml(pipeline)


writers: dict[str, Callable[[Pipeline], str]] = {"kfp": _kfp_yaml}
"""The text of a compiled pipeline by kind of target; engines add theirs."""


class PipelineFunction(Reloaded):
    """A pipeline that was traced from a function, or built in a cell.

    Attributes:
        pipeline_func: The function, or None.
        findings: What it is warned of.
    """

    def __init__(
        self,
        model: Pipeline,
        pipeline_func: Callable[..., Any] | None = None,
        findings: Iterable[Finding] = (),
    ) -> None:
        super().__init__(pipeline_func)
        self._model = model
        self.findings = tuple(findings)
        self._component: Component | None = None
        self.pipeline_func = pipeline_func
        self.__name__ = getattr(pipeline_func, "__name__", model.name.replace("-", "_"))
        self.__doc__ = getattr(pipeline_func, "__doc__", None) or model.description

    @property
    def model(self) -> Pipeline:
        """The pipeline."""
        self.catch_up()
        return self._model

    @property
    def name(self) -> str:
        """Its name in KFP's spelling."""
        return self.model.name

    @property
    def description(self) -> str:
        """What it is for."""
        return self.model.description

    @property
    def inputs(self) -> tuple[InputSpec, ...]:
        """Its parameters."""
        return self.model.inputs

    def __repr__(self) -> str:
        inputs = ", ".join(f"{spec.name}: {spec.type.python_name}" for spec in self.inputs)
        return f"<pipeline {self.name}({inputs}), {len(self.model.graph.tasks)} tasks>"

    def __call__(self, *args: Any, **kwargs: Any) -> PipelineTask:
        """Add a task that runs the pipeline to the one that is being written; outside of one, run it.

        Returns:
            The task, whose outputs are the pipeline's. After `kfp_jupyter.local.init`, and outside of a
            pipeline, one that has run.

        Raises:
            ArgumentError: An argument is unknown, missing, given twice, or of the wrong type.
            NotInitializedError: No other pipeline is being written, and calls are not to run.
            LocalRunError: The run did not succeed.
        """
        __tracebackhide__ = True
        builder = current_builder()
        if builder is not None:
            return builder.add_task(self.component, args, kwargs, pipeline=self.model)
        does = outside_call()
        if does is None:
            raise NotInitializedError(
                f"The pipeline {self.name!r} was called.",
                where=place_line(*caller()),
                remedy=f"Run it with `{self.__name__}.run(…)`, or call it inside another pipeline. To let "
                f"calls run on this machine, {INIT}.",
            )
        task: PipelineTask = does(Called(self.component, self.model), args, kwargs)
        return task

    @property
    def component(self) -> Component:
        """The pipeline as a component of others."""
        model = self.model
        if self._component is None:
            self._component = Component(
                model.name, model.inputs, model.outputs, model.graph, model.description
            )
        return self._component

    def run(
        self,
        arguments: Mapping[str, Any] | None = None,
        /,
        *,
        target: str = "",
        wait: bool = False,
        **named: Any,
    ) -> Any:
        """Start a run.

        Args:
            arguments: Values of parameters by name, for parameters that are called `target` or `wait`.
            target: Where to run, such as `local` or `argo:my-context`; empty means the target in use.
            wait: Wait until the run has ended.
            **named: Values of parameters.

        Returns:
            The run's handle.

        Raises:
            ArgumentError: A parameter is unknown, missing, or of the wrong type.
            PipelineError: Nothing that could run pipelines is loaded.
        """
        self._refuse_unnamed(arguments)
        self._refuse_ambiguous(target=target, wait=wait)
        bound = bind_arguments(self.model, {**(arguments or {}), **named})
        if run_hook is None:
            raise PipelineError(
                "Nothing that runs pipelines is loaded.",
                where=f"pipeline {self.name}",
                remedy="Run `%load_ext kfp_jupyter` first, or `import kfp_jupyter.workbench` in a program.",
            )
        return run_hook(self.model, bound, target=target, wait=wait)

    def compile(self, path: str | Path, target: str = "kfp") -> Path:
        """Write the pipeline to a file.

        Args:
            path: The file.
            target: The format: `kfp` (KFP's pipeline YAML) or `argo` (a Workflow).

        Returns:
            The file's path.

        Raises:
            PipelineError: There is no such format.
            OutputFileError: The file cannot be written.
        """
        if target not in writers:
            raise PipelineError(
                f"There is no format {target!r} to compile to.",
                where=f"pipeline {self.name}",
                remedy=f"The formats are: {', '.join(sorted(writers))}.",
            )
        file = Path(path)
        text = writers[target](self.model)
        try:
            file.write_text(text, encoding="utf-8")
        except OSError as error:
            raise OutputFileError(
                f"The file cannot be written: {error.strerror}.",
                where=str(file),
                remedy="Name a file in a folder that exists and that you may write to.",
            ) from error
        return file

    def _refuse_unnamed(self, arguments: object) -> None:
        if not isinstance(arguments, Mapping | None):
            names = ", ".join(f"{spec.name}=…" for spec in self.inputs)
            raise ArgumentError(
                f"Parameters are given by name, not as {arguments!r} alone.",
                where=f"pipeline {self.name}",
                remedy=f"Write `{self.__name__}.run({names})`.",
            )

    def _refuse_ambiguous(self, **options: Any) -> None:
        taken = {spec.name for spec in self.inputs}
        for name, value in options.items():
            if value and name in taken:
                raise ArgumentError(
                    f"`{name}=` could mean the pipeline's parameter or the run's own option.",
                    where=f"pipeline {self.name}",
                    remedy=f"Give the parameter in a dict, as in `.run({{{name!r}: …}})`, or rename it.",
                )


@overload
def pipeline(func: Callable[..., Any]) -> PipelineFunction: ...


@overload
def pipeline(
    func: None = None,
    *,
    name: str | None = None,
    description: str | None = None,
    pipeline_root: str | None = None,
    display_name: str | None = None,
    pipeline_config: PipelineConfig | None = None,
) -> Callable[[Callable[..., Any]], PipelineFunction]: ...


def pipeline(
    func: Callable[..., Any] | None = None,
    *,
    name: str | None = None,
    description: str | None = None,
    pipeline_root: str | None = None,
    display_name: str | None = None,
    pipeline_config: PipelineConfig | None = None,
) -> PipelineFunction | Callable[[Callable[..., Any]], PipelineFunction]:
    """Make a function a pipeline; used as a decorator with or without arguments.

    Args:
        func: The function; its arguments are the pipeline's parameters.
        name: The pipeline's name; by default the function's.
        description: What it is for; by default the docstring's.
        pipeline_root: Where artifacts are stored.
        display_name: The name shown to people.
        pipeline_config: What is set for a run as a whole.

    Raises:
        ComponentError: An argument has no type hint, or an unsupported one.
        PipelineError: A connection or setting is wrong, the tasks wait in a circle, or there is none.
        NotSupportedError: `pipeline_config` is no `PipelineConfig`.
    """
    __tracebackhide__ = True  # what the user's function raises is shown without our frames
    if func is None:
        return partial(
            pipeline,
            name=name,
            description=description,
            pipeline_root=pipeline_root,
            display_name=display_name,
            pipeline_config=pipeline_config,
        )
    if not isinstance(pipeline_config, (PipelineConfig, type(None))):
        raise NotSupportedError(
            f"`pipeline_config` is {pipeline_config!r}.",
            where=place_line(*caller()),
            remedy="Give a `dsl.PipelineConfig(…)`.",
        )
    interface = read_interface(func, _place_in(func), is_pipeline=True)
    builder = PipelineBuilder(
        name or func.__name__,
        interface.inputs,
        outputs=interface.outputs,
        description=description or interface.description,
        display_name=display_name or "",
        pipeline_root=pipeline_root or "",
        config=pipeline_config.model() if pipeline_config else None,
    )
    with builder:
        returned = _called(func, builder)
    return PipelineFunction(builder.build(returned), func, builder.findings)


def _called(func: Callable[..., Any], builder: PipelineBuilder) -> Any:
    __tracebackhide__ = True
    positional, named = [], {}
    for argument in inspect.signature(func).parameters.values():
        if argument.kind is inspect.Parameter.KEYWORD_ONLY:
            named[argument.name] = builder.inputs[argument.name]
        else:
            positional.append(builder.inputs[argument.name])
    return func(*positional, **named)


def _place_in(func: Callable[..., Any]) -> Callable[[str], str]:
    """Return what says where the function is written, and refuse what is no plain function."""
    if not inspect.isfunction(func):
        kind = type(func).__name__
        raise ComponentError(
            f"A pipeline is made of a function, not of a {kind}.", where=place_line(*caller())
        )
    file, line = place_name(func.__code__.co_filename), func.__code__.co_firstlineno
    if (
        inspect.iscoroutinefunction(func)
        or inspect.isgeneratorfunction(func)
        or inspect.isasyncgenfunction(func)
    ):
        raise SignatureError(
            f"The pipeline {func.__name__!r} is asynchronous or a generator, so calling it does nothing.",
            where=f"{file}, line {line}",
            remedy="Write a plain `def` that calls components.",
        )
    return lambda _argument: f"{file}, line {line}"
