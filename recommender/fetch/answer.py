"""What an address answered: status, body and what is to be kept of its headers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime

from urllib3 import BaseHTTPResponse

from recommender.errors import FetchRefusedError
from recommender.fetch.address import shown_url

_PIECE_BYTES = 64 * 2**10


@dataclass(frozen=True, slots=True)
class Fetched:
    """What an address answered.

    Attributes:
        url: where the answer came from in the end.
        status: of HTTP; ``body`` is empty but for 2xx.
        body: decompressed.
        media_type: such as ``text/html``, in lower case; empty where it was not told.
        charset: as the header names it, or None.
        etag, last_modified: to be sent with the next request, or None.
    """

    url: str
    status: int
    body: bytes = b""
    media_type: str = ""
    charset: str | None = None
    etag: str | None = None
    last_modified: str | None = None

    @property
    def is_gone(self) -> bool:
        """The site says that there is no such page."""
        return self.status in (404, 410)


def fetched_of(url: str, answer: BaseHTTPResponse, max_bytes: int) -> Fetched:
    """Return an answer with its body, which is read for 2xx alone, and within a bound before and after decompression.

    Raises:
        FetchRefusedError: it holds more.
        HTTPError, OSError: it ends before its end.
    """
    told = Message()
    told["Content-Type"] = answer.headers.get("Content-Type") or "application/octet-stream"
    return Fetched(
        url=url,
        status=answer.status,
        body=_body(url, answer, max_bytes) if 200 <= answer.status < 300 else b"",
        media_type=told.get_content_type() if "Content-Type" in answer.headers else "",
        charset=told.get_content_charset(),
        etag=_short(answer.headers.get("ETag")),
        last_modified=_short(answer.headers.get("Last-Modified")),
    )


def _body(url: str, answer: BaseHTTPResponse, max_bytes: int) -> bytes:
    pieces: list[bytes] = []
    n_bytes = 0
    while piece := answer.read(_PIECE_BYTES, decode_content=True):
        n_bytes += len(piece)
        if n_bytes > max_bytes or answer.tell() > max_bytes:
            answer.close()
            raise FetchRefusedError(f"{shown_url(url)}: has over {max_bytes:,} bytes; see fetch.max_bytes")
        pieces.append(piece)
    return b"".join(pieces)


def told_of(error: Exception) -> str:
    """Return what went wrong, without the library's own words around it."""
    inner: BaseException | None = getattr(error, "reason", None)
    error_told = inner if isinstance(inner, Exception) else error
    text = str(error_told) or type(error_told).__name__
    return text.rpartition(": ")[2][:200] if "object at 0x" in text else text[:200]


def _short(value: str | None) -> str | None:
    """Return a validator that may be sent back; an endless one, or one that is no line of ASCII, is not kept."""
    return value if value and len(value) <= 1_000 and value.isascii() and value.isprintable() else None


def seconds_of(retry_after: str | None) -> float | None:
    """Return how long ``Retry-After`` asks for, in seconds or as a date; None where it says neither."""
    if not retry_after:
        return None
    text = retry_after.strip()
    if text.isascii() and text.isdecimal() and len(text) < 10:
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max((at - datetime.now(UTC)).total_seconds(), 0.0)
