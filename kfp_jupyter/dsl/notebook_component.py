"""`@notebook_component`: a function that runs a whole notebook, which is embedded in its step.

The function calls `dsl.run_notebook(name=value, …)`; values take the place of those in the notebook's cell
with the tag `parameters`. The notebook runs in a kernel of its own, and what its cells print is the step's
log.
Reference: https://kubeflow-pipelines.readthedocs.io/en/stable/source/dsl.html#kfp.dsl.notebook_component
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from kfp_jupyter.cells.errors import ComponentError
from kfp_jupyter.cells.origin import caller, place_line
from kfp_jupyter.dsl.component_decorator import python_component
from kfp_jupyter.dsl.embedded_artifact import FILE, unpacking
from kfp_jupyter.dsl.notebook_runner import run_notebook_file
from kfp_jupyter.model.component import Fragment

PACKAGES = ("nbclient>=0.10,<1", "ipykernel>=6", "jupyter_client>=7,<9")
"""What running a notebook takes."""


class NotebookError(ComponentError):
    """A notebook that cannot become a component's step."""


def run_notebook(**_: Any) -> NoReturn:
    """Run the notebook of a notebook component; only inside of its step.

    Raises:
        NotebookError: Always here.
    """
    raise NotebookError(
        "`dsl.run_notebook` was called outside of a step.",
        where=place_line(*caller()),
        remedy="Call it in a function under `@dsl.notebook_component`.",
    )


def notebook_component(
    func: Callable[..., Any] | None = None,
    *,
    notebook_path: str,
    base_image: str | None = None,
    packages_to_install: Sequence[str] | None = None,
    output_component_file: str | None = None,
    pip_index_urls: Sequence[str] | None = None,
    pip_trusted_hosts: Sequence[str] | None = None,
    use_venv: bool = False,
    kfp_package_path: str | None = None,
    install_kfp_package: bool = True,
    task_config_passthroughs: Sequence[Any] | None = None,
) -> Any:
    """Make a function, which runs a notebook, a component.

    Args:
        func: The function.
        notebook_path: The notebook's file, or a folder with one notebook and what it needs.
        base_image: As for `@component`, like the rest.
        packages_to_install: Requirements to install; None installs what running a notebook takes.
        output_component_file: A file to write the component to.
        pip_index_urls: Package indexes.
        pip_trusted_hosts: Hosts that pip shall trust without TLS.
        use_venv: Whether KFP's own command makes a virtual environment.
        kfp_package_path: A requirement for the KFP SDK instead of the usual version.
        install_kfp_package: Whether KFP's own command installs the KFP SDK.
        task_config_passthroughs: Settings of its tasks that the component is told of.

    Raises:
        NotebookError: There is no notebook, or more than one.
        ComponentError: The function cannot become a component; the message says where and why.
    """
    if func is None:
        given = {name: held for name, held in locals().items() if name != "func"}
        return partial(notebook_component, **given)
    unpack = unpacking(notebook_path, _notebook_in(Path(notebook_path)))
    runner = inspect.getsource(run_notebook_file)
    call = (
        "def _run_notebook(**parameters):\n"
        "    run_notebook_file(__KFP_EMBEDDED_ASSET_FILE, __KFP_EMBEDDED_ASSET_DIR, parameters)\n"
        "dsl.run_notebook = run_notebook = _run_notebook\n"
    )
    before = Fragment(f"{unpack.text}\n{runner}\n{call}", FILE)
    return python_component(
        func,
        before=(before,),
        base_image=base_image,
        packages_to_install=PACKAGES if packages_to_install is None else packages_to_install,
        output_component_file=output_component_file,
        pip_index_urls=pip_index_urls,
        pip_trusted_hosts=pip_trusted_hosts,
        use_venv=use_venv,
        kfp_package_path=kfp_package_path,
        install_kfp_package=install_kfp_package,
        task_config_passthroughs=task_config_passthroughs,
    )


def _notebook_in(path: Path) -> str:
    """Return the name of the only notebook in a folder; of a file its own."""
    found = [path] if path.is_file() else []
    if path.is_dir():
        found = [held for held in sorted(path.rglob("*.ipynb")) if ".ipynb_checkpoints" not in held.parts]
    if len(found) != 1 or found[0].suffix.lower() != ".ipynb":
        raise NotebookError(
            f"{str(path)!r} holds {len(found)} notebooks." if found else f"{str(path)!r} is no notebook.",
            where=place_line(*caller()),
            remedy="Give one `.ipynb` file, or a folder with exactly one.",
        )
    return path.name if path.is_file() else found[0].relative_to(path).as_posix()
