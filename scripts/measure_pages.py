"""Read the test site and hold what was read to the truth: the table that README quotes.

scripts/measure_pages.py                        # every template
scripts/measure_pages.py --template hand live   # some of them, with everything that is wrong
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from recommender.article import Article
from recommender.errors import RecordError
from recommender.readers import article_from_page
from recommender.text import url_key, words

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from testsite import TEMPLATES, Page, hashed, pages

BASE = "https://www.lindenpost.example"
FIELDS = ("title", "date", "author", "url", "section", "kind", "language")


@dataclass
class Figures:
    """What was found on some pages, counted."""

    n_pages: int = 0
    right: Counter[str] = field(default_factory=Counter)
    f1: list[float] = field(default_factory=list)
    n_links: int = 0
    n_found: int = 0
    n_right: int = 0
    n_trapped: int = 0
    n_refused: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def precision(self) -> float:
        """Of the links found, those that an editor set."""
        return self.n_right / self.n_found if self.n_found else 1.0

    @property
    def recall(self) -> float:
        """Of the links that an editor set, those found."""
        return self.n_right / self.n_links if self.n_links else 1.0

    def row(self, name: str) -> str:
        """Return a line of the table."""
        rest = " | ".join(f"{self.right[each]}/{self.n_pages}" for each in FIELDS)
        mean = sum(self.f1) / len(self.f1) if self.f1 else 0.0
        return (
            f"| {name} | {self.n_pages} | {rest} | {mean:.3f} | {min(self.f1, default=0.0):.3f} | {self.precision:.3f} | {self.recall:.3f} "
            f"| {self.n_trapped} |"
        )


def word_f1(found: str, truth: str) -> float:
    """Return the F1 of two texts as bags of words."""
    ours, theirs = Counter(words(found.casefold())), Counter(words(truth.casefold()))
    shared = sum((ours & theirs).values())
    return 2 * shared / (sum(ours.values()) + sum(theirs.values())) if shared else 0.0


def measure(some: Sequence[Page], base: str = BASE) -> Figures:
    """Read pages and count what is right."""
    figures = Figures()
    for page in some:
        try:
            article: Article | None = article_from_page(page.html, url=base + page.path)
            reason = ""
        except RecordError as error:
            article, reason = None, str(error)
        if page.truth.refused:
            figures.n_refused += article is None
            if article is not None:
                figures.wrong.append(f"{page.path}: taken as a story: {article.title!r}")
            continue
        figures.n_pages += 1
        if article is None:
            figures.wrong.append(f"{page.path}: refused: {reason}")
            figures.f1.append(0.0)
            figures.n_links += len(page.truth.read_more)
            continue
        _compare(page, article, figures)
    return figures


def _compare(page: Page, article: Article, figures: Figures) -> None:
    truth = page.truth
    pairs = {
        "title": (article.title, truth.title),
        "date": (article.published_at, datetime.fromisoformat(truth.published_at)),
        "author": (article.authors, truth.authors),
        "url": (url_key(article.url or ""), url_key(truth.url)),
        "section": (article.section, truth.section),
        "kind": (article.kind, truth.kind),
        "language": ((article.language or "").split("-")[0], truth.language),
    }
    for name, (found, expected) in pairs.items():
        figures.right[name] += found == expected
        if found != expected:
            figures.wrong.append(f"{page.path}: {name}: {found!r} instead of {expected!r}")
    f1 = word_f1(article.text, truth.text)
    figures.f1.append(f1)
    if f1 < 0.99:
        extra, missing = (
            set(article.text.split("\n")) - set(truth.text.split("\n")),
            set(truth.text.split("\n")) - set(article.text.split("\n")),
        )
        figures.wrong.append(
            f"{page.path}: text: F1 {f1:.3f}; extra {sorted(extra)[:5]}; missing {sorted(missing)[:5]}"
        )
    found_keys = [url_key(link.url or "") for link in article.read_more]
    true_keys = {url_key(url) for url in truth.read_more}
    traps = {url_key(url) for url in truth.traps} - true_keys
    figures.n_links += len(true_keys)
    figures.n_found += len(found_keys)
    figures.n_right += len(true_keys & set(found_keys))
    figures.n_trapped += len(traps & set(found_keys))
    if set(found_keys) != true_keys:
        figures.wrong.append(
            f"{page.path}: links: extra {sorted(map(str, set(found_keys) - true_keys))}; missing {sorted(map(str, true_keys - set(found_keys)))}"
        )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--template", nargs="*", choices=sorted([*TEMPLATES, "others"]), help="only these, and tell all that is wrong"
    )
    parser.add_argument("--hashed", action="store_true", help="with names of classes and ids that say nothing")
    asked = parser.parse_args()
    site = [hashed(page) for page in pages(BASE)] if asked.hashed else pages(BASE)
    print("| template | pages | " + " | ".join(FIELDS) + " | F1 | least F1 | link precision | recall | traps |")
    print("| --- " * (len(FIELDS) + 7) + "|")
    wrong: list[str] = []
    for name in asked.template or [*TEMPLATES, "others"]:
        figures = measure([page for page in site if page.truth.template == name])
        print(figures.row(name) if name != "others" else f"| {name}: {figures.n_refused} refused |")
        wrong += figures.wrong
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
