"""A news site of our own to read: 80 stories in ten templates, pages that are no stories, and the truth about each.

The markup is that of the systems that newsrooms use, written from their habits; the stories are those of ``seeds/``. Nothing is drawn
by chance: ``pages(base_url)`` makes the same bytes for the same address. ``write(folder, base_url)`` makes files of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import asdict, replace
from hashlib import md5
from pathlib import Path

from testsite import amp, component, ghost, hand, hugo, live, nonlatin, others, paywall, portal, wordpress
from testsite.story import Page, Story, Truth, stories

__all__ = ["TEMPLATES", "Page", "Story", "Truth", "hashed", "pages", "write"]

TEMPLATES: dict[str, Callable[[Story], bytes]] = {
    "wordpress": wordpress.render,
    "ghost": ghost.render,
    "hugo": hugo.render,
    "hand": hand.render,
    "amp": amp.render,
    "paywall": paywall.render,
    "live": live.render,
    "nonlatin": nonlatin.render,
    "component": component.render,
    "portal": portal.render,
}


def pages(base_url: str) -> list[Page]:
    """Return every page of the site: stories of each template, then pages that are no stories (their truth is refused)."""
    all_stories = stories(base_url.rstrip("/"))
    told = [Page(story.path, TEMPLATES[story.template](story), story.truth) for story in all_stories]
    return told + others.pages(all_stories)


def write(folder: Path, base_url: str) -> list[Page]:
    """Write every page as a file of its path below ``folder``, and ``truth.json`` beside them."""
    made = pages(base_url)
    for page in made:
        file = folder / (page.path.strip("/").replace("/", "__") or "index")
        file = file.with_name(file.name if file.suffix in (".html", ".htm") else f"{file.name}.html")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(page.html)
    truths = {page.path: asdict(page.truth) for page in made}
    (folder / "truth.json").write_text(json.dumps(truths, ensure_ascii=False, indent=1), encoding="utf-8")
    return made


def hashed(page: Page) -> Page:
    """Return the page with names of classes and ids that say nothing, as builders of style sheets make them, and no articleBody."""
    named = re.compile(rb"\b(class|id)=(\"[^\"]*\"|'[^']*')")
    html = named.sub(
        lambda found: found[1] + b'="css-' + md5(found[2], usedforsecurity=False).hexdigest()[:6].encode() + b'"',
        page.html,
    )
    return replace(page, html=html.replace(b'itemprop="articleBody"', b""))
