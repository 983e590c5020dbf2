"""Text as this package understands it: cleaned, keyed, digested, cut into chunks. Pure functions.

The one owner of w3lib (urls).
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import combinations

from w3lib.url import canonicalize_url, url_query_cleaner

# Query parameters that say where a click came from, never which article it is.
_TRACKERS = [
    "fbclid", "gclid", "dclid", "gbraid", "wbraid", "msclkid", "yclid", "twclid", "igshid", "mc_cid", "mc_eid", "_ga", "_gl",
    "ref", "ref_src", "cmpid", "ocid", "ns_mchannel", "ns_source", "ns_campaign", "smid", "smtyp", "at_medium", "at_campaign",
    "wt_mc", "xtor", "utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "utm_id", "utm_name", "utm_reader",
]  # fmt: skip

# Controls (but tab and newline), bidirectional embeddings, overrides and isolates, the byte order mark, and what only says where
# a word may be parted: soft hyphen, blank of no width, word joiner. Joiners of letters (U+200C, U+200D) stay: Persian and Hindi are written with them.
# Left-to-right and right-to-left *marks* stay: Hebrew and Arabic headlines need them.
_UNWANTED = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u200b\u2060\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb]"
)
_SURROGATES = re.compile("[\ud800-\udfff]")
_LINE_BREAKS = re.compile("\r\n|[\r\x0b\x0c\u2028\u2029\x85]")
_BLANKS = re.compile(r"[^\S\n]+")
# Vowel signs and other marks that belong to the letter before them, which \w leaves out (Devanagari, Thai, Arabic, ...).
_MARKS = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc"
    "\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u0900-\u0963\u0971-\u0dff\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1-\u0ebc\u0ec8-\u0ece"
    "\u102b-\u103e\u17b4-\u17d3"
)
_NOT_WORD = re.compile(rf"[^\w{_MARKS}]+|_+")
_LINK_WORDS, _HEADLINE_WORDS = 3, 4
_DASHES = re.compile("[\u2010-\u2015\u2212-]+")
_APOSTROPHES = re.compile("['’ʼ`´]")
_WORDS = re.compile(rf"(?:[^\W_]|[{_MARKS}])+(?:['’ʼ\-](?:[^\W_]|[{_MARKS}])+)*")

_LONGEST_WORD_CHARS = 40
_LONGEST_URL_CHARS = 4096
_TITLE_CHARS = 1000
_HTTP = re.compile(r"https?://[^/?#\s]", re.IGNORECASE)
_NOT_IN_URLS = re.compile(r"[\s<>\"]")
_HOST = re.compile(r"[\w.~-]+(:\d+)?|\[[0-9a-f:.]+\](:\d+)?", re.ASCII)


def clean(text: str) -> str:
    """Return ``text`` as NFC with plain newlines, single blanks and nothing that cannot be shown.

    Removed: control characters, NUL, bidirectional overrides, byte order marks, soft hyphens, blanks of no width; a lone surrogate becomes U+FFFD.
    Empty lines go, so that one newline parts two paragraphs. Idempotent.
    """
    text = _LINE_BREAKS.sub("\n", text)
    text = _SURROGATES.sub("\ufffd", _UNWANTED.sub("", text))
    text = _BLANKS.sub(" ", unicodedata.normalize("NFC", text))
    return "\n".join(line for line in (part.strip() for part in text.split("\n")) if line)


def clean_line(text: str) -> str:
    """Return ``text`` cleaned and on one line (for titles, names, tags)."""
    return clean(text).replace("\n", " ")


def words(text: str) -> list[str]:
    """Return the words of ``text`` in order; inner apostrophes and hyphens stay inside their word."""
    return _WORDS.findall(text)


def title_key(title: str) -> str:
    """Return the form in which two spellings of one headline are equal: folded case, no punctuation, dashes alike.

    Accents stay (they part words in most languages). May be empty for a title of signs only.
    """
    return _title_key(title) if len(title) <= _TITLE_CHARS else _title_key.__wrapped__(title)


@lru_cache(maxsize=2048)  # a headline is asked about again and again while its page is read and its links are resolved
def _title_key(title: str) -> str:
    bare = _APOSTROPHES.sub("", title)  # before NFKC too, which makes a blank and an accent of ´
    folded = _APOSTROPHES.sub("", unicodedata.normalize("NFKC", bare).casefold())
    return " ".join(_NOT_WORD.sub(" ", _DASHES.sub(" ", folded)).split())


def link_keys(title: str) -> tuple[str, ...]:
    """Return the keys under which a link with this title key is held against headlines; see :func:`headline_keys`."""
    return _pairs_of_longest(title, _LINK_WORDS)


def headline_keys(title: str) -> tuple[str, ...]:
    """Return the keys under which a headline with this title key is held against links: pairs of its four longest words.

    The two are compared only where they share a key, that is where two of the link's three longest words are among the
    headline's four. Long words are rare ones, and a rule that looks at no other article lets one that comes or goes change
    nothing but the links that it is in question for.
    """
    return _pairs_of_longest(title, _HEADLINE_WORDS)


def _pairs_of_longest(title: str, n: int) -> tuple[str, ...]:
    longest = sorted(set(title.split()), key=lambda word: (-len(word), word))[:n]
    if len(longest) < 2:
        return tuple(longest)
    return tuple(sorted(" ".join(sorted(pair)) for pair in combinations(longest, 2)))


def base_language(tag: str | None) -> str:
    """Return the language of a tag without its region or script; ``""`` for None."""
    return (tag or "").partition("-")[0]


def canonical_url(url: str) -> str | None:
    """Return the absolute http(s) url in one spelling, or None when ``url`` is no such thing.

    Scheme and host in lower case, default port, fragment, tracking parameters and trailing slash gone, query
    sorted, percent-encoding normalised (w3lib). ``javascript:``, ``data:`` and relative urls give None.
    """
    return _canonical(url) if len(url) <= _LONGEST_URL_CHARS else None


@lru_cache(maxsize=4096)  # an address is asked about where it is read, checked, keyed and resolved
def _canonical(url: str) -> str | None:
    url = clean_line(url)
    if not _HTTP.match(url) or _NOT_IN_URLS.search(url):
        return None
    try:
        url = canonicalize_url(url_query_cleaner(url, _TRACKERS, remove=True, unique=False))
    except (ValueError, UnicodeError):
        return None
    scheme, rest = url.split("://", 1)
    host, slash, path = rest.partition("/")
    host = host.removesuffix(":80" if scheme == "http" else ":443")
    if not _HOST.fullmatch(host):
        return None
    head, mark, query = path.partition("?")
    head = head.rstrip("/")
    return f"{scheme}://{host}{slash if head or mark else ''}{head}{mark}{query}"


def url_key(url: str) -> str | None:
    """Return what two addresses of one page share: the canonical url without scheme and leading ``www.``."""
    canonical = canonical_url(url)
    return canonical.split("://", 1)[1].removeprefix("www.") if canonical else None


def digest(*parts: str) -> bytes:
    """Return 16 bytes that stand for these strings; different splits of one text give different digests."""
    state = hashlib.blake2b(digest_size=16)
    for part in parts:
        raw = part.encode("utf-8", "surrogatepass")
        state.update(len(raw).to_bytes(8, "little"))
        state.update(raw)
    return state.digest()


def chunks(text: str, n_words: int) -> Iterator[str]:
    """Yield consecutive pieces of ``text`` of ``n_words`` blank-separated words; the last is shorter.

    A tail of less than a quarter of ``n_words`` joins the piece before it: a vector of ten words is noise. Text
    without blanks (Chinese, Japanese, Thai) is cut by characters instead, four a word.
    """
    pieces: list[list[str]] = []
    size = float(n_words)
    for word in (part for token in text.split() for part in _cut(token, 4 * n_words)):
        weight = 1.0 if len(word) <= _LONGEST_WORD_CHARS else len(word) / 4
        if size + weight > n_words:
            pieces.append([])
            size = 0.0
        pieces[-1].append(word)
        size += weight
    if len(pieces) > 1 and size < n_words / 4:
        tail = pieces.pop()
        pieces[-1] += tail
    yield from map(" ".join, pieces)


def _cut(token: str, n_chars: int) -> Iterator[str]:
    if len(token) <= n_chars:
        yield token
    else:
        yield from (token[start : start + n_chars] for start in range(0, len(token), n_chars))
