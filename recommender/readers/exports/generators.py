"""Where Hugo and Jekyll put a page: by its front matter, the site's settings and the place of its file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path, PurePath
from typing import Any, NamedTuple
from urllib.parse import quote, urljoin

from recommender.errors import RecordError
from recommender.readers.entry import About
from recommender.readers.exports.frontmatter import MAX_CHARS, parsed

_SETTINGS = (
    "hugo.toml",
    "hugo.yaml",
    "hugo.yml",
    "hugo.json",
    "config.toml",
    "config.yaml",
    "config.yml",
    "_config.yml",
)
_MOST_FOLDERS = 12
_DATED = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})-(.+)")
_LANGUAGE = re.compile(r"(.+)\.([a-z]{2}(?:-[a-z]{2})?)", re.IGNORECASE)
_STYLES = {
    "date": "/:categories/:year/:month/:day/:title.html",
    "pretty": "/:categories/:year/:month/:day/:title/",
    "none": "/:categories/:title.html",
}


class Site(NamedTuple):
    """Settings of a site: its address, whether it is Jekyll's, its pattern of addresses (Jekyll) or those by section (Hugo)."""

    url: str | None = None
    is_jekyll: bool = False
    pattern: str = _STYLES["date"]
    by_section: Mapping[str, Any] = {}


class Place(NamedTuple):
    """What the name of a file says: the folders below ``content``, slug, language, date (``2025-03-14``)."""

    folders: tuple[str, ...]
    slug: str
    language: str | None
    day: str | None


def place_of(source: str) -> Place:
    """Return what the path of a document tells."""
    path = PurePath(source)
    above = path.parent.parts
    root = max((at + 1 for at, name in enumerate(above) if name in ("content", "_posts", "_drafts")), default=None)
    folders = above[root:] if root is not None else ()
    stem, language = path.stem, None
    translated = _LANGUAGE.fullmatch(stem)
    if translated:
        stem, language = translated[1], translated[2]
    if stem == "index" and folders:
        folders, stem = folders[:-1], folders[-1]
    dated = _DATED.fullmatch(stem)
    if not dated:
        return Place(tuple(folders), stem, language, None)
    return Place(tuple(folders), dated[4], language, f"{dated[1]}-{int(dated[2]):02}-{int(dated[3]):02}")


@lru_cache(maxsize=1024)
def site_of(folder: Path) -> Site:
    """Return the settings of the site that a folder belongs to, as far as they can be read; those of the nearest folder above."""
    for above in [folder, *folder.parents][:_MOST_FOLDERS]:
        for name in _SETTINGS:
            file = above / name
            try:
                if file.is_file() and file.stat().st_size < MAX_CHARS:
                    form = {".toml": "toml", ".json": "json"}.get(file.suffix, "yaml")
                    site = _site(parsed(file.read_text("utf-8"), form), is_jekyll=name.startswith("_"))
                    if site:
                        return site
            except (OSError, UnicodeDecodeError, RecordError):
                continue
    return Site()


def _site(settings: Mapping[str, Any], *, is_jekyll: bool) -> Site | None:
    if not is_jekyll:
        url = settings.get("baseurl")
        by_section = settings.get("permalinks")
        by_section = by_section.get("page", by_section) if isinstance(by_section, dict) else {}
        return (
            Site(url, by_section=by_section if isinstance(by_section, dict) else {}) if isinstance(url, str) else None
        )
    url, below = settings.get("url"), settings.get("baseurl")
    if not isinstance(url, str) or not url:
        return None
    pattern = settings.get("permalink")
    pattern = _STYLES.get(pattern, pattern) if isinstance(pattern, str) else _STYLES["date"]
    return Site(url.rstrip("/") + (below if isinstance(below, str) else ""), True, pattern)


def url_of(front: Mapping[str, Any], place: Place, site: Site, about: About, published: datetime | None) -> str | None:
    """Return the address of a page as far as it can be known: what its front matter says, else by the site's pattern; else None."""
    base = about.site or site.url
    own = front.get("url") or front.get("permalink")
    if isinstance(own, str) and own.startswith(("http://", "https://")):
        return own
    if not base:
        return None
    if isinstance(own, str) and ":" not in own:
        return _joined(base, own)
    slug = front.get("slug")
    slug = slug if isinstance(slug, str) and slug else place.slug
    if site.is_jekyll:
        pattern = own if isinstance(own, str) else site.pattern
    else:
        if place.language:  # where its language is in the address depends on more settings
            return None
        section = place.folders[0] if place.folders else ""
        asked = site.by_section.get(section)
        folders = "/".join(_segment(each) for each in place.folders)
        pattern = asked if isinstance(asked, str) else f"/{folders}/:slug/" if folders else "/:slug/"
    return _filled(base, pattern, _parts(front, place, slug, published))


def _parts(front: Mapping[str, Any], place: Place, slug: str, published: datetime | None) -> dict[str, str]:
    categories = front.get("categories") or front.get("category") or []
    categories = categories.split() if isinstance(categories, str) else categories
    names = [_segment(each) for each in categories if isinstance(each, str)] if isinstance(categories, list) else []
    title = front.get("title")
    parts = {
        "slug": _segment(slug),
        "slugorfilename": _segment(slug),
        "filename": _segment(place.slug),
        "contentbasename": _segment(place.slug),
        "title": _segment(slug if place.day else title if isinstance(title, str) else slug),
        "categories": "/".join(names),
        "section": _segment(place.folders[0]) if place.folders else "",
        "sections": "/".join(_segment(each) for each in place.folders),
    }
    day = place.day or (published.date().isoformat() if published else "")
    return parts | (dict(zip(("year", "month", "day"), day.split("-"), strict=True)) if day else {})


def _segment(text: str) -> str:
    return quote("-".join(text.lower().split()))


def _filled(base: str, pattern: str, parts: Mapping[str, str]) -> str | None:
    names = re.findall(r":([a-z_]+)", pattern)
    if any(name not in parts for name in names):
        return None
    path = re.sub(r":([a-z_]+)", lambda found: parts[found[1]], pattern)
    return _joined(base, re.sub(r"/{2,}", "/", path))


def _joined(base: str, path: str) -> str | None:
    try:
        return urljoin(base.rstrip("/") + "/", path.lstrip("/"))
    except ValueError:
        return None
