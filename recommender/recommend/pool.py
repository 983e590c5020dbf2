"""Texts encoded for readers in a small pool of threads of their own, so that free texts never hold up known articles."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from concurrent.futures import TimeoutError as TooLongError
from threading import Lock

import numpy as np

from recommender.encoder import Encoder
from recommender.errors import EncoderBusyError, EncoderError, EncoderLateError
from recommender.vectors import Matrix, Vector

_HEAD_START_SECONDS = 0.0005  # for the thread that encodes, which else waits for the interpreter


class EncoderPool:
    """Encodes short lists of texts with a bound on how many wait and how long; remembers the last ones.

    A text that was asked for twice is encoded once, also by two who ask at the same time. What has begun is finished, though
    nobody may wait for it any more: the next one who asks finds it.
    """

    def __init__(
        self,
        encoder: Callable[[], Encoder],
        *,
        threads: int = 1,
        most_waiting: int = 16,
        patience_seconds: float = 2.0,
        most_remembered: int = 1_000,
    ) -> None:
        """Take what encodes.

        Args:
            encoder: returns it; called in the pool, where opening it may take its time.
            threads: that encode.
            most_waiting: questions (a text, or all texts of an article) that may wait or be under way; one more is refused.
            patience_seconds: how long whoever asks waits.
            most_remembered: texts whose vectors are kept, the last ones asked for.
        """
        self._encoder = encoder
        self._threads = threads
        self._most_waiting = most_waiting
        self._patience_seconds = patience_seconds
        self._most_remembered = most_remembered
        self._pool: ThreadPoolExecutor | None = None
        self._lock = Lock()
        self._known: OrderedDict[str, Vector] = OrderedDict()
        self._under_way: dict[tuple[str, ...], Future[dict[str, Vector]]] = {}

    @property
    def n_waiting(self) -> int:
        """How many questions wait or are under way."""
        return len(self._under_way)

    def encode(self, texts: Sequence[str], meanwhile: Callable[[], object] | None = None) -> Matrix:
        """Return unit vectors, shape (len(texts), dim), in the order of ``texts``; at least one text.

        Args:
            texts: to be encoded.
            meanwhile: called, once, while they are; not at all where they cannot be.

        Raises:
            EncoderBusyError: too many wait already.
            EncoderLateError: it took too long; it goes on in the background.
            EncoderError: it cannot be done at all.
        """
        with self._lock:
            known = {text: self._known[text] for text in texts if text in self._known}
            for text in known:
                self._known.move_to_end(text)
            missing = tuple(dict.fromkeys(text for text in texts if text not in known))
            future = self._asked(missing) if missing else None
        if future is not None and meanwhile is not None:
            wait([future], timeout=_HEAD_START_SECONDS)
        if meanwhile is not None:
            meanwhile()
        if future is not None:
            try:
                known |= future.result(timeout=self._patience_seconds)
            except TooLongError as error:
                raise EncoderLateError(
                    f"encoding took over {self._patience_seconds:g} seconds; it goes on, ask again in a moment"
                ) from error
        return np.stack([known[text] for text in texts])

    def close(self) -> None:
        """End the threads when what they are at is done."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def _asked(self, texts: tuple[str, ...]) -> Future[dict[str, Vector]]:
        """Return what will be the vectors of these texts; the lock is held."""
        if (under_way := self._under_way.get(texts)) is not None:
            return under_way
        if len(self._under_way) >= self._most_waiting:
            raise EncoderBusyError(f"{self._most_waiting} questions wait to be encoded already; ask again in a moment")
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="recommender-encode")
        try:
            future = self._pool.submit(self._vectors, texts)
        except RuntimeError as error:  # requests that are in flight when a service is told to stop
            raise EncoderError("nothing is encoded any more, the process ends") from error
        self._under_way[texts] = future
        return future

    def _vectors(self, texts: tuple[str, ...]) -> dict[str, Vector]:
        try:
            vectors = dict(zip(texts, self._encoder().encode(texts), strict=True))
        except BaseException:
            with self._lock:
                del self._under_way[texts]
            raise
        with self._lock:
            del self._under_way[texts]
            self._known |= vectors
            while len(self._known) > self._most_remembered:
                self._known.popitem(last=False)
        return vectors
