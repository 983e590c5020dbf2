"""The files of one article: what stands in them, what they are called, and what makes one another than before."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from recommender.answer import Answer
from recommender.fragment import fragment
from recommender.text import digest

FILE = re.compile(r"(?:[0-9a-f]/[0-9a-f]/)?(?:[a-z0-9]+-)*[0-9a-f]{20}\.(?:json|html)")
"""What a file's path looks like; an index that names any other is none."""

_SLUG_CHARS = 60
_DIGEST_CHARS = 20


@dataclass(frozen=True, slots=True)
class Page:
    """One file.

    Attributes:
        kind: ``json`` or ``html``.
        file: its path in the folder, with slashes.
        digest: of what readers see in it; 32 hex digits.
        body: what stands in it.
    """

    kind: str
    file: str
    digest: str
    body: bytes


def stem(article_id: str, *, folders: bool) -> str:
    """Return the path of an article's files without their ending: the same for one id for ever, and safe for any id.

    A readable part is made of the id, whatever it is; what tells two ids apart is the digest behind it.

    Args:
        article_id: any string.
        folders: two levels of folders by the digest, for many articles.
    """
    plain = unicodedata.normalize("NFKD", article_id).encode("ascii", "ignore").decode().lower()
    readable = re.sub(r"[^a-z0-9]+", "-", re.sub(r"^https?://(www\.)?", "", plain)).strip("-")
    code = digest(article_id).hex()[:_DIGEST_CHARS]
    name = "-".join(filter(None, (readable[-_SLUG_CHARS:].strip("-"), code)))
    return f"{code[0]}/{code[1]}/{name}" if folders else name


def pages(answer: Answer, path: str, *, html: bool) -> tuple[Page, ...]:
    """Return the files of a list: the object of the HTTP answer but for the snapshot's name, and the fragment.

    Scores move a little when stories join the archive. They stand in the JSON as they were when the list itself changed last:
    the digest leaves them out.
    """
    told = answer.as_dict()
    del told["snapshot"]
    body = json.dumps(told, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
    made = (Page("json", f"{path}.json", _digest(_without_scores(told)), body),)
    if not html:
        return made
    markup = fragment(answer)
    return (*made, Page("html", f"{path}.html", _digest(markup), markup.encode()))


def _without_scores(told: dict[str, Any]) -> str:
    results = [{name: value for name, value in line.items() if name != "score"} for line in told["results"]]
    return json.dumps(told | {"results": results})


def _digest(seen: str) -> str:
    return hashlib.sha256(seen.encode()).hexdigest()[:32]
