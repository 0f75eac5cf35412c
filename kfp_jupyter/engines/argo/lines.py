"""Lines of an answer that goes on: read in a thread, so that whoever waits for them can also stop waiting.

A socket that says nothing cannot be told from one that is dead, and reading it cannot be interrupted; here
the reader waits, and its consumer asks for the next line for as long as it likes.
"""

from __future__ import annotations

from collections.abc import Iterator
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import Any

_ENDED = object()


class Lines:
    """The lines of one open answer.

    Args:
        answer: The answer (urllib3's), as `Cluster.stream` gives it.
    """

    def __init__(self, answer: Any) -> None:
        self._answer = answer
        # A consumer that is slower than the server holds the server back, as a socket does.
        self._queue: Queue[Any] = Queue(maxsize=1000)
        self._closed = Event()
        Thread(target=self._read, name="kfp-jupyter stream", daemon=True).start()

    def next(self, seconds: float) -> str | None:
        """Return the next line without its newline, or None if there is none within some seconds.

        Raises:
            EOFError: The answer ended as it should.
            ConnectionError: The connection was lost, or was silent for too long.
        """
        try:
            held = self._queue.get(timeout=seconds)
        except Empty:
            return None
        if held is _ENDED:
            raise EOFError
        if isinstance(held, Exception):
            raise ConnectionError(str(held)) from held
        return str(held)

    def close(self) -> None:
        """Stop reading; what was not taken is lost."""
        self._closed.set()
        # Wakes a reader that waits for the network; older urllib3 waits for its timeout instead.
        shutdown = getattr(self._answer, "shutdown", None)
        if shutdown is not None and not self._answer.closed:
            try:
                shutdown()
            except (ValueError, OSError):
                return

    def _read(self) -> None:
        try:
            for line in self._split():
                self._put(line)
            self._put(_ENDED)
        except Exception as error:  # noqa: BLE001 (whatever it is, the consumer is told)
            self._put(error)
        finally:
            self._answer.close()

    def _split(self) -> Iterator[str]:
        rest = b""
        for chunk in self._answer.stream(amt=None, decode_content=False):
            *whole, rest = (rest + chunk).split(b"\n")
            for line in whole:
                yield line.decode("utf-8", "replace")
        if rest:
            yield rest.decode("utf-8", "replace")

    def _put(self, item: Any) -> None:
        while not self._closed.is_set():
            try:
                self._queue.put(item, timeout=0.5)
            except Full:
                continue
            return
