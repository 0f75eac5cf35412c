"""What a task mounts: claims, folders that are empty at first, and secrets and config maps as files.

Each is a folder of this machine: a claim's is `<data>/volumes/NAME`, the others are made for one attempt and
removed with it. The step sees them at their mount paths because it runs in a mount namespace of its own
(`mount_namespace`), for which Linux asks for no rights but may not allow it. No link and no folder is made at
a mount path: outside of our own folders nothing changes. What cannot be mounted is refused before the run,
unless the path leads to the volume anyway because the user has made it a link.
Reference: https://kfp-kubernetes.readthedocs.io/
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path, PurePosixPath

from kfp_jupyter.engines.local.claims import volume
from kfp_jupyter.engines.local.cluster_settings import NAME_FIELDS, constant_name, name_of, read, remedy
from kfp_jupyter.engines.local.given import GivenError
from kfp_jupyter.engines.local.mount import Mount, can_mount, why_not
from kfp_jupyter.engines.local.scope import Scope
from kfp_jupyter.interchange.quantity import gigabytes
from kfp_jupyter.model.types import Json


class Kind(Enum):
    """What a volume is."""

    CLAIM = "claim"
    EMPTY = "empty folder"
    SECRET = "secret"
    CONFIG_MAP = "config map"


_FIELDS = {
    "pvcMount": Kind.CLAIM,
    "emptyDirMounts": Kind.EMPTY,
    "genericEphemeralVolume": Kind.EMPTY,
    "secretAsVolume": Kind.SECRET,
    "configMapAsVolume": Kind.CONFIG_MAP,
}
FIELDS = tuple(_FIELDS)
"""The settings that mount something."""

_FOLDERS = {Kind.SECRET: "secrets", Kind.CONFIG_MAP: "config-maps"}


@dataclass(frozen=True, slots=True)
class Volume:
    """A volume of a task.

    Attributes:
        kind: What it is.
        target: The mount path.
        name: The name of the claim, secret or config map; empty if it flows, and for an empty folder.
        sub_path: The folder inside a claim's volume that is mounted; empty for all of it.
        optional: Whether a secret or config map may be missing.
        memory: Whether it is kept in memory.
        size: How large it may become, as a quantity; empty for no limit.
    """

    kind: Kind
    target: str
    name: str = ""
    sub_path: str = ""
    optional: bool = False
    memory: bool = False
    size: str = ""


def volumes_of(settings: Mapping[str, Json]) -> tuple[Volume, ...]:
    """Return what a task's settings mount."""
    return tuple(
        Volume(
            kind=kind,
            target=str(held.get("mountPath", "")),
            name=constant_name(held, NAME_FIELDS[field]) if field in NAME_FIELDS else "",
            sub_path=str(held.get("subPath", "")),
            optional=bool(held.get("optional")),
            memory=held.get("medium") == "Memory",
            size=str(held.get("sizeLimit") or held.get("size") or ""),
        )
        for field, kind in _FIELDS.items()
        for held in settings.get(field, ())
    )


def settled_volumes(settings: Mapping[str, Json], data: Path, scope: Scope) -> dict[str, Json]:
    """Return a task's settings with the names of its volumes, also of those that flow.

    Args:
        settings: The settings.
        data: The folder of all runs' data.
        scope: Where values that flow come from.

    Raises:
        GivenError: A volume, secret or config map is not there.
    """
    made = dict(settings)
    for field in (field for field in FIELDS if field in NAME_FIELDS and field in settings):
        name = NAME_FIELDS[field]
        made[field] = [
            {**held, f"{name}Parameter": {"runtimeValue": {"constant": name_of(held, name, scope)}}}
            for held in settings[field]
        ]
    for held in volumes_of(made):
        for what, how in lacking(held, data):
            raise GivenError(f"{what} {how}")
    return made


def lacking(held: Volume, data: Path) -> Iterator[tuple[str, str]]:
    """Yield what a volume is to show and is not on this machine, and the remedy."""
    if held.kind is Kind.CLAIM and held.name and not volume(data, held.name).is_dir():
        yield (
            f"It mounts the claim {held.name!r}, which is not on this machine.",
            f"Make the folder {volume(data, held.name)}, or a link there to the folder that it stands for.",
        )
    elif held.kind in _FOLDERS and held.name and not held.optional:
        folder = data / _FOLDERS[held.kind]
        if read(folder / f"{held.name}.json") is None:
            what = f"It mounts the {held.kind.value} {held.name!r}, which is not on this machine."
            yield what, remedy(folder, held.name)


def wrong(volumes: Sequence[Volume], hidden: Sequence[Path]) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with a task's mounts in themselves, and the remedy.

    Args:
        volumes: What it mounts.
        hidden: Folders that a step cannot do without.
    """
    seen: set[str] = set()
    for held in volumes:
        path = os.path.normpath(held.target)
        inside = PurePosixPath(held.sub_path)
        if not Path(path).is_absolute():
            yield f"{held.target!r} is no path to mount at.", "Give one from the root: `/data`."
        elif path in seen:
            yield f"It mounts twice at {path}.", "Choose different paths."
        elif inside.is_absolute() or ".." in inside.parts:
            yield f"The sub-path {held.sub_path!r} leads out of the volume.", "Give a path inside it."
        for needed in hidden:
            if Path(path) == needed or Path(path) in needed.parents:
                yield (
                    f"A volume at {path} would hide {needed}, which steps need on this machine.",
                    f"Mount it inside of that folder (`{path.rstrip('/')}/data`), or run on a cluster.",
                )
                break
        seen.add(path)


def mounts(settings: Mapping[str, Json], data: Path, folder: Path) -> tuple[Mount, ...]:
    """Return what has to be mounted for a process to see its volumes; their folders are made.

    Args:
        settings: The task's settings, with their names settled.
        data: The folder of all runs' data.
        folder: A folder of the attempt's own, for what lives as long as it.

    Raises:
        OSError: A folder could not be made.
    """
    return tuple(mount for mount in shown(settings, data, folder) if not mount.is_there)


def shown(settings: Mapping[str, Json], data: Path, folder: Path) -> Iterator[Mount]:
    """Yield what shows an attempt its volumes; arguments and errors as in `mounts`."""
    for index, held in enumerate(volumes_of(settings)):
        if held.memory:
            yield Mount("", held.target, int(gigabytes(held.size) * 1e9) if held.size else 0)
        else:
            yield Mount(str(_source(held, data, folder / str(index))), held.target)


def _source(held: Volume, data: Path, own: Path) -> Path:
    if held.kind is Kind.CLAIM:
        top = volume(data, held.name)
        source = Path(top, held.sub_path)
        source.mkdir(parents=True, exist_ok=True)
        if not Path(os.path.realpath(source)).is_relative_to(os.path.realpath(top)):
            raise OSError(f"{held.sub_path!r} leads out of the volume {held.name!r}")
        return source
    own.mkdir(mode=0o700, parents=True)
    contents = read(data / _FOLDERS[held.kind] / f"{held.name}.json") if held.kind in _FOLDERS else None
    for key, value in (contents or {}).items():
        if os.sep not in key:
            (own / key).write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return own


def mountable(held: Volume, data: Path) -> bool:
    """Say whether a volume can be shown to a step on this machine."""
    if held.kind is Kind.CLAIM and held.name:
        return Mount(str(volume(data, held.name) / held.sub_path), held.target).is_there or can_mount()
    return (held.memory and Mount("", held.target).is_there) or can_mount()


def unmountable(held: Volume, data: Path) -> tuple[str, str]:
    """Return what is said of a volume that cannot be shown, and the remedy."""
    what = f"Nothing can be mounted for a step on this machine ({why_not()}), so not at {held.target} either."
    if held.kind is Kind.CLAIM and held.name:
        return what, f"Make {held.target} a link to {volume(data, held.name)}, or run it on a cluster."
    return what, "Run it where `unshare --user --mount true` works, or on a cluster."


def mounted(settings: Mapping[str, Json], data: Path) -> list[Json]:
    """Return what of a task's volumes tells its result from others.

    Of claims it is what KFP's servers heed, their names. What is in a secret or a config map counts too: here
    it is a file that its user edits.
    """
    told: list[Json] = []
    for held in volumes_of(settings):
        if held.kind in _FOLDERS:
            told.append([held.target, read(data / _FOLDERS[held.kind] / f"{held.name}.json")])
        elif held.kind is Kind.CLAIM:
            told.append([held.name, held.sub_path, held.target])
    return told
