"""Artifacts of runs, brought from a cluster's store to this machine.

A task's artifact is written once, at a key that names its Workflow, pod and output; so what was brought is
kept under the same names in `<data>/fetched/` and never asked for twice. Readers (`reader`) print artifacts,
in parts, parcels (`parcel`) take them; here it is decided what to ask for, and for how long.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from kfp_jupyter.engines.argo.connection import Cluster
from kfp_jupyter.engines.argo.errors import ClusterError, FetchError
from kfp_jupyter.engines.argo.manifest import Installation
from kfp_jupyter.engines.argo.parcel import Parcel, ParcelError
from kfp_jupyter.engines.argo.reader import Piece, Reader, Waiting, reader_workflow
from kfp_jupyter.engines.argo.stored import Stored, stored_at
from kfp_jupyter.engines.argo.submission import artifact_root
from kfp_jupyter.engines.base import EngineError
from kfp_jupyter.model.run import ArtifactRecord
from kfp_jupyter.paths import data_dir

LIMIT_VARIABLE = "KFP_JUPYTER_FETCH_LIMIT"
"""The environment variable with the largest artifact that is brought, in megabytes."""

DEFAULT_LIMIT = 100
"""That limit, if it is not set; each 6 MB of what does not compress cost a pod."""

_TRIES = 3


def fetch(
    cluster: Cluster,
    installation: Installation,
    run: str,
    records: Sequence[ArtifactRecord],
    *,
    image: str,
    tell: Callable[[str], None],
    waiting: Waiting,
) -> list[Path | EngineError]:
    """Return where each artifact is on this machine now, or why it cannot be brought.

    Args:
        cluster: The cluster, in the run's namespace.
        installation: What is particular to it.
        run: The run's Workflow, which need not be there any more.
        records: The artifacts.
        image: An image with Python.
        tell: Called with sentences on how far it is.
        waiting: How long to wait for what.
    """
    places: dict[str, Path | EngineError] = {}
    wanted: dict[str, tuple[Stored, Parcel]] = {}
    for uri in dict.fromkeys(record.uri for record in records):
        stored = stored_at(uri)
        if stored is None:
            places[uri] = _elsewhere(uri, "it is no artifact that a step has left in the cluster's store")
            continue
        place = data_dir() / "fetched" / stored.place
        if place.exists():
            # Its run's folder tells `gc` when it was used last.
            os.utime(place.parent.parent)
            places[uri] = place
        else:
            wanted[uri] = stored, Parcel(place)
    try:
        if wanted:
            places |= _Fetching(cluster, installation, run, image, tell, waiting).all(wanted)
    finally:
        for _, parcel in wanted.values():
            parcel.close()
    return [places[record.uri] for record in records]


class _Fetching:
    """What is wanted at once of one store."""

    def __init__(
        self,
        cluster: Cluster,
        installation: Installation,
        run: str,
        image: str,
        tell: Callable[[str], None],
        waiting: Waiting,
    ) -> None:
        self._cluster = cluster
        self._installation = installation
        self._run = run
        self._image = image
        self._tell = tell
        self._waiting = waiting
        self._limit = fetch_limit()

    def all(self, wanted: dict[str, tuple[Stored, Parcel]]) -> dict[str, Path | EngineError]:
        """Bring them: a reader for all, then readers for what is left of them."""
        ended: dict[str, Path | EngineError] = {}
        names = ", ".join(stored.name for stored, _ in wanted.values())
        place = f"namespace {self._cluster.namespace!r}"
        self._tell(f"Bringing {names} from the cluster's store, read by a pod in {place}.")
        root = artifact_root(self._cluster)
        for uri, (stored, _) in wanted.items():
            if stored.root and root and stored.root != root:
                ended[uri] = _elsewhere(uri, f"the store of {place} is {root} now")
        tries = dict.fromkeys(wanted, 0)
        while left := {uri: held for uri, held in wanted.items() if uri not in ended}:
            pieces = [Piece(stored.key, parcel.position) for stored, parcel in left.values()]
            try:
                with Reader(self._cluster, self._workflow(pieces), self._waiting) as reader:
                    for number, (uri, (stored, parcel)) in enumerate(left.items()):
                        before = parcel.position
                        try:
                            found = self._read(reader, number, stored, parcel)
                            if found is not None:
                                ended[uri] = found
                            elif parcel.position == before:
                                tries[uri] += 1
                                if tries[uri] == _TRIES:
                                    ended[uri] = _torn(stored)
                        except (EngineError, OSError) as error:
                            ended[uri] = _told(error, stored)
            except ClusterError as error:
                ended |= {uri: error for uri in left if uri not in ended}
        return ended

    def _workflow(self, pieces: Sequence[Piece]) -> dict[str, object]:
        return reader_workflow(
            self._run,
            pieces,
            self._image,
            self._limit,
            service_account=self._installation.service_account,
            instance_id=self._installation.instance_id,
        )

    def _read(self, reader: Reader, number: int, stored: Stored, parcel: Parcel) -> Path | None:
        """Take what a pod of the reader prints; return the artifact's place if that was the last of it."""
        parcel.begin()
        try:
            for line in reader.lines(number):
                parcel.take(line)
                if parcel.ended:
                    # Without waiting for Argo to finish the pod.
                    break
            if parcel.refused:
                raise _too_large(stored, parcel, self._limit)
            if parcel.complete:
                return parcel.deliver()
        except ParcelError as error:
            raise FetchError(
                f"What came of it cannot be used: {error}.", where=stored.name, remedy="Try it again."
            ) from error
        if parcel.size is not None:
            self._tell(f"{stored.name}: {parcel.share:.0%} of {_size(parcel.size)} are here.")
        return None


def fetch_limit() -> int:
    """Return the most bytes that an artifact may have to be brought.

    Raises:
        FetchError: What the environment says is no number.
    """
    text = os.environ.get(LIMIT_VARIABLE, "")
    try:
        return int(float(text or DEFAULT_LIMIT) * 1_000_000)
    except (ValueError, OverflowError):
        raise FetchError(
            f"{text!r} is no number of megabytes.",
            where=f"environment variable {LIMIT_VARIABLE}",
            remedy=f"Set it to a number such as {DEFAULT_LIMIT}, or remove it.",
        ) from None


def _too_large(stored: Stored, parcel: Parcel, limit: int) -> FetchError:
    source = f"{stored.root}/{stored.key}" if stored.root else stored.key
    needed = -(-(parcel.size or 0) // 1_000_000)
    return FetchError(
        f"It has {_size(parcel.size or 0)}, and up to {_size(limit)} are brought through a cluster's log.",
        where=stored.name,
        remedy=f"Copy {source} with the store's own tools, or set {LIMIT_VARIABLE}={needed} (megabytes; a "
        "pod for each 6 MB of what does not compress).",
    )


def _elsewhere(uri: str, why: str) -> FetchError:
    return FetchError(
        f"{uri or 'It'} cannot be brought from here: {why}.", remedy="Copy it with the store's own tools."
    )


def _torn(stored: Stored) -> FetchError:
    return FetchError(
        f"The reader's log broke off {_TRIES} times at the same place.",
        where=stored.name,
        remedy="Try it again; if it stays so, copy it with the store's own tools.",
    )


def _told(error: Exception, stored: Stored) -> EngineError:
    if isinstance(error, EngineError):
        return error
    return FetchError(f"It cannot be written on this machine: {error}.", where=stored.name)


def _size(count: int) -> str:
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= factor:
            return f"{count / factor:.1f} {unit}"
    return f"{count} bytes"
