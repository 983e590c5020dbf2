"""Texts encoded for readers in a small pool of threads of their own, so that free texts never hold up known articles."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLongError
from threading import Lock

import numpy as np

from recommender.encoder import Encoder
from recommender.errors import EncoderBusyError, EncoderLateError
from recommender.vectors import Matrix, Vector


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
            most_waiting: texts that may wait or be under way; one more is refused.
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
        self._under_way: dict[str, Future[Vector]] = {}

    @property
    def n_waiting(self) -> int:
        """How many texts wait or are under way."""
        return len(self._under_way)

    def encode(self, texts: Sequence[str]) -> Matrix:
        """Return unit vectors, shape (len(texts), dim), in the order of ``texts``; at least one text.

        Raises:
            EncoderBusyError: too many wait already.
            EncoderLateError: it took too long; it goes on in the background.
            EncoderError: it cannot be done at all.
        """
        futures = [self._asked(text) for text in texts]
        try:
            return np.stack([future.result(timeout=self._patience_seconds) for future in futures])
        except TooLongError as error:
            raise EncoderLateError(
                f"encoding took over {self._patience_seconds:g} seconds; it goes on, ask again in a moment"
            ) from error

    def close(self) -> None:
        """End the threads when what they are at is done."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def _asked(self, text: str) -> Future[Vector]:
        with self._lock:
            if (vector := self._known.get(text)) is not None:
                self._known.move_to_end(text)
                done: Future[Vector] = Future()
                done.set_result(vector)
                return done
            if (under_way := self._under_way.get(text)) is not None:
                return under_way
            if len(self._under_way) >= self._most_waiting:
                raise EncoderBusyError(f"{self._most_waiting} texts wait to be encoded already; ask again in a moment")
            if self._pool is None:
                self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="recommender-encode")
            future = self._under_way[text] = self._pool.submit(self._one, text)
        future.add_done_callback(lambda finished: self._finish(text, finished))
        return future

    def _one(self, text: str) -> Vector:
        vector: Vector = self._encoder().encode([text])[0]
        return vector

    def _finish(self, text: str, finished: Future[Vector]) -> None:
        with self._lock:
            self._under_way.pop(text, None)
            if not finished.cancelled() and finished.exception() is None:
                self._known[text] = finished.result()
                while len(self._known) > self._most_remembered:
                    self._known.popitem(last=False)
