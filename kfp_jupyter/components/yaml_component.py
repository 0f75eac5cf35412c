"""A component that was read from a file, and the functions that read one.

What a file says is not trusted: it is read within the limits of `interchange`, and what is fetched is bounded
in size and time as well.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING

from kfp_jupyter.dsl import BaseComponent
from kfp_jupyter.errors import KfpJupyterError
from kfp_jupyter.interchange.component_yaml import read_component
from kfp_jupyter.interchange.load import MAX_BYTES
from kfp_jupyter.model.graph import Graph
from kfp_jupyter.model.pipeline import Pipeline

if TYPE_CHECKING:
    from kfp_jupyter.interchange.component_yaml import LoadedComponent

SECONDS = 30
"""How long a server may be silent."""


class LoadError(KfpJupyterError):
    """A component's file that cannot be got."""


class YamlComponent(BaseComponent):
    """A component of a file.

    Attributes:
        component_yaml: The file's text.
        unknown: The paths of fields in it that are not known here.
    """

    def __init__(self, loaded: LoadedComponent, component_yaml: str) -> None:
        super().__init__(loaded.component, loaded.settings)
        self.component_yaml = component_yaml
        self.unknown = loaded.unknown
        model = loaded.component
        self._pipeline = None
        if isinstance(model.implementation, Graph):
            self._pipeline = Pipeline(
                model.name,
                model.inputs,
                model.outputs,
                loaded.parts,
                model.implementation,
                model.description,
            )

    @property
    def inner_pipeline(self) -> Pipeline | None:
        """The pipeline that it is, if the file holds one."""
        return self._pipeline


def load_component_from_text(text: str) -> YamlComponent:
    """Return the component of a file's text: YAML of KFP 1 or 2, or JSON.

    Raises:
        DocumentError: It is no component; the message says where in the document.
    """
    return YamlComponent(read_component(text), text)


def load_component_from_file(file_path: str | Path) -> YamlComponent:
    """Return the component of a file.

    Raises:
        LoadError: There is no such file, or it cannot be read.
        DocumentError: It is no component; the message says where in the document.
    """
    path = Path(file_path).expanduser()
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise LoadError(f"The file {path} cannot be read: {error}.", remedy="Check its path.") from None
    return load_component_from_text(text)


def load_component_from_url(url: str, auth: tuple[str, str] | None = None) -> YamlComponent:
    """Return the component of a file on a server.

    Args:
        url: Its address with `https://`, `http://`, or `gs://` for a public one on Google Cloud Storage.
        auth: A user's name and password.

    Raises:
        LoadError: It cannot be got, or is too large.
        DocumentError: It is no component; the message says where in the document.
    """
    from http.client import HTTPException
    from urllib.request import Request, urlopen

    if url.startswith("gs://"):
        url = "https://storage.googleapis.com/" + url.removeprefix("gs://")
    if not url.startswith(("https://", "http://")):
        raise LoadError(
            f"{url!r} is no address of a file.", remedy="Give one with https://, http:// or gs://."
        )
    request = Request(url)
    if auth is not None:
        word = base64.b64encode(":".join(auth).encode()).decode()
        request.add_unredirected_header("Authorization", f"Basic {word}")
    try:
        with urlopen(request, timeout=SECONDS) as answer:
            held = answer.read(MAX_BYTES + 1)
    except (OSError, HTTPException, ValueError) as error:
        raise LoadError(
            f"{url} cannot be got: {error}.", remedy="Check the address and the network."
        ) from None
    if len(held) > MAX_BYTES:
        raise LoadError(f"{url} has more than {MAX_BYTES // 1_000_000} MB.", remedy="Check the address.")
    try:
        return load_component_from_text(held.decode("utf-8"))
    except UnicodeDecodeError:
        raise LoadError(f"{url} is no text in UTF-8.", remedy="Check the address.") from None
