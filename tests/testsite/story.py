"""What a page of the test site is about, and what is true of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import escape
from pathlib import Path

SEEDS = Path(__file__).parent.parent.parent / "seeds" / "articles"
EACH = 8

PATHS = {
    "wordpress": "/{y}/{m}/{d}/{slug}/",
    "ghost": "/{slug}-ghost/",
    "hugo": "/posts/{y}/{slug}/",
    "hand": "/archiv/{y}/{n}.html",
    "amp": "/{section}/{slug}-{n}",
    "paywall": "/article/{section}/{slug}.{n}",
    "live": "/live/{y}/{m}/{slug}",
    "nonlatin": "/novyny/{slug}-{n}",
    "component": "/news/articles/c{n}{slug}",
    "portal": "/{y}{m}{d}/{slug}-{n}.html",
}

DECLARED_SECTIONS = {"ghost": None, "hugo": "posts", "hand": None, "nonlatin": None}
"""What these templates say of the section, where they do not name the story's."""


@dataclass(frozen=True)
class Truth:
    """What a reader must find on a page.

    Attributes:
        refused: the page is no story; nothing else counts then.
        read_more: addresses of the editor's links.
        traps: addresses that stand on the page and are no editor's links.
    """

    template: str
    refused: bool = False
    title: str = ""
    published_at: str = ""
    authors: tuple[str, ...] = ()
    url: str = ""
    text: str = ""
    read_more: tuple[str, ...] = ()
    traps: tuple[str, ...] = ()
    kind: str = "news"
    section: str | None = None
    language: str = "en"


@dataclass(frozen=True)
class Page:
    """A page: its path on the site, the bytes that are sent, the truth."""

    path: str
    html: bytes
    truth: Truth


@dataclass(frozen=True)
class Target:
    """Another story, as a link shows it."""

    title: str
    url: str

    @property
    def path(self) -> str:
        """Its address without the host."""
        return "/" + self.url.split("/", 3)[3]

    def a(self, text: str | None = None, **more: str) -> str:
        """Return a link to it."""
        attributes = "".join(f' {name.rstrip("_")}="{value}"' for name, value in more.items())
        return f'<a href="{self.url}"{attributes}>{escape(text or self.title)}</a>'


@dataclass
class Story:
    """A story on its way into a template, which says by the calls below what it shows."""

    number: int
    template: str
    base: str
    title: str
    standfirst: str
    paragraphs: list[str]
    published: datetime
    modified: datetime
    authors: list[str]
    section: str
    tags: list[str]
    language: str
    kind: str
    slug: str
    url: str
    linked: list[Target] = field(default_factory=list)
    others: list[Target] = field(default_factory=list)
    shown: list[Target] = field(default_factory=list)
    trapped: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    @property
    def path(self) -> str:
        """Where the site serves it."""
        return "/" + self.url.split("/", 3)[3] + ("/amp" if self.template == "amp" else "")

    def editors(self, n: int) -> list[Target]:
        """Return the next ``n`` of the stories that the editor links."""
        taken = self.linked[len(self.shown) : len(self.shown) + n]
        assert len(taken) == n
        self.shown += taken
        return taken

    def automatic(self, n: int) -> list[Target]:
        """Return the next ``n`` stories of the lists that the site makes by itself."""
        at = len([each for each in self.trapped if each in {other.url for other in self.others}])
        taken = self.others[at : at + n]
        assert len(taken) == n
        self.trapped += [each.url for each in taken]
        return taken

    def trap(self, path: str) -> str:
        """Return an address of this site that is no story's, and note that nobody may take it."""
        url = path if path.startswith("http") else self.base + path
        self.trapped.append(url)
        return url

    def say(self, *paragraphs: str) -> None:
        """Note what of the page is the story's body."""
        self.told += paragraphs

    def with_link(self, paragraph: str, target: Target, at: int = 4, n: int = 5) -> str:
        """Return a paragraph as HTML in which some of the words lead to another story."""
        words = paragraph.split()
        before, inside, after = words[:at], words[at : at + n], words[at + n :]
        return f"{escape(' '.join(before))} {target.a(' '.join(inside))} {escape(' '.join(after))}"

    @property
    def truth(self) -> Truth:
        """What is true of the page, once it is rendered."""
        return Truth(
            template=self.template,
            title=self.title,
            published_at=self.published.isoformat(),
            authors=tuple(self.authors),
            url=self.url,
            text="\n".join(self.told or self.paragraphs),
            read_more=tuple(each.url for each in self.shown),
            traps=tuple(self.trapped),
            kind=self.kind,
            section=DECLARED_SECTIONS.get(self.template, self.section),
            language=self.language,
        )


def stories(base: str) -> list[Story]:
    """Return the stories of the site, each with its own stories to link to."""
    seeds = [
        json.loads(line) for file in sorted(SEEDS.glob("*.jsonl")) for line in file.read_text("utf-8").splitlines()
    ]
    pools = {
        "nonlatin": [each for each in seeds if each["language"] == "uk"],
        "live": [each for each in seeds if each["language"] == "en" and len(each["text"].split("\n")) >= 6][:60],
        "hand": [each for each in seeds if each["language"] == "de"],
        "rest": [each for each in seeds if each["language"] == "en" and each.get("kind") in (None, "news")],
    }  # fmt: skip
    made = []
    used: set[str] = set()
    for template in PATHS:
        pool = [each for each in pools.get(template, pools["rest"]) if each["id"] not in used][:EACH]
        used |= {each["id"] for each in pool}
        made += [_story(seed, template, base, len(made) + at) for at, seed in enumerate(pool)]
    targets = [Target(each.title, each.url) for each in made]
    for at, story in enumerate(made):
        rest = [targets[(at + 1 + 7 * step) % len(targets)] for step in range(len(targets))]
        rest = [each for each in rest if each.url != story.url]
        story.linked, story.others = rest[:8], rest[8:]
    return made


def _story(seed: dict[str, object], template: str, base: str, number: int) -> Story:
    published = datetime.fromisoformat(str(seed["published_at"]))
    if template in ("amp", "paywall"):
        published = published.astimezone(UTC)
    slug = "-".join(str(seed["id"]).split("-")[3:]) or str(seed["id"])
    where = {"y": published.year, "m": f"{published.month:02}", "d": f"{published.day:02}", "n": 40_000 + 7 * number}
    section = str(seed["section"])
    path = PATHS[template].format(**where, slug=slug, section=section)
    return Story(
        number=number,
        template=template,
        base=base,
        title=str(seed["title"]),
        standfirst=str(seed["description"]),
        paragraphs=str(seed["text"]).split("\n"),
        published=published,
        modified=published + timedelta(hours=3),
        authors=list(seed["authors"]),  # type: ignore[call-overload]
        section=section,
        tags=list(seed["tags"]),  # type: ignore[call-overload]
        language=str(seed["language"]),
        kind="live" if template == "live" else "news",
        slug=slug,
        url=base + path,
    )
