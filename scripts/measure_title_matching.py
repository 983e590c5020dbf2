#!/usr/bin/env python3
"""Which similarity two headlines need to be one: the figures behind the setting ``links.fuzzy_threshold``.

    .venv/bin/python scripts/measure_title_matching.py > titles.md

The archive is digitalgov's headlines (where that set is here) and those of ``seeds/``. Each case is a headline as an
editor might retype it, put to ``recommender.links.LinkResolver`` as a link without an address. It is asked twice: with its
article in the archive (found right, found wrong, or missed), and with its article taken out (whatever is found then is a
false find). Where the retyping comes from:

* ``seeds``: the sample's own links that fit no headline exactly but one of the same file nearly (at the lowest threshold);
* made by chance, with a fixed seed, from sampled headlines: a word dropped, a dash or colon changed, other case, the clause
  after a dash dropped, a typing error, a singular made a plural or the other way round.

A retyping that differs only in case and signs is found by its key, at any threshold: it is counted aside. Found wrong means
an article with another headline. Precision is found right among everything found (with and without its article), recall is
found right among all cases, F their harmonic mean. Articles are taken out a fold at a time, so a false find is looked for in an
archive that lacks a few other headlines, too.
"""

from __future__ import annotations

import argparse
import random
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from _bench import DATA, SEEDS, articles_of, data_sets, markdown, tell

from recommender import readers
from recommender.article import Article, Link
from recommender.links import Headlines, LinkResolver, Target
from recommender.text import title_key

THRESHOLDS = tuple(range(70, 100, 2))
MAX_FALSE_RATE = 0.005
_DASH = re.compile(r"\s+[–—-]\s+")
_SIGN = re.compile(r"\s+[–—-]\s+|:\s+")


@dataclass(frozen=True, slots=True)
class Case:
    """A headline as retyped, the key of the headline that was meant, and how it was retyped."""

    typed: str
    meant: str
    kind: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """At which thresholds a case finds what; None where it finds nothing even at the lowest.

    Attributes:
        case: what was asked.
        highest: the highest threshold at which its article, or a wrong one, is found.
        right: whether that is the article that was meant.
        highest_without: the same with the article taken out, where every find is false.
    """

    case: Case
    highest: int | None
    right: bool
    highest_without: int | None


class Archive:
    """Resolvers over the same articles, one a threshold, made when they are first needed."""

    def __init__(self, articles: Sequence[Article]) -> None:
        self._targets = [Target(article.id, article.title, article.url, article.published_at) for article in articles]
        self._keys = {article.id: title_key(article.title) for article in articles}
        self._resolver = cache(lambda threshold: LinkResolver(Headlines(self._targets), fuzzy_threshold=threshold))

    def find(self, typed: str, threshold: int) -> str | None:
        """Return the key of the headline that a link with this title leads to, None where it leads nowhere."""
        found = self._resolver(threshold).resolve(Link("", 0, typed))
        return self._keys[found[0]] if found else None

    def highest(self, typed: str) -> tuple[int, str] | None:
        """Return the highest threshold at which anything is found, and what; a find at one holds at every lower one."""
        low, high = 0, len(THRESHOLDS)
        best: tuple[int, str] | None = None
        while low < high:
            middle = (low + high) // 2 if best else low  # most have no find at all: the lowest is asked first
            found = self.find(typed, THRESHOLDS[middle])
            if found is None:
                high = middle
            else:
                best, low = (THRESHOLDS[middle], found), middle + 1
        return best


def drop_word(title: str, chance: random.Random) -> str:
    words = title.split()
    del words[chance.randrange(len(words))]
    return " ".join(words)


def change_sign(title: str, chance: random.Random) -> str:
    return _SIGN.sub(lambda found: " - " if ":" in found[0] else ": ", title)


def change_case(title: str, chance: random.Random) -> str:
    return chance.choice((str.upper, str.lower, str.title))(title)


def drop_clause(title: str, chance: random.Random) -> str:
    return _DASH.split(title)[0]


def mistype(title: str, chance: random.Random) -> str:
    """Return the title with two neighbouring letters of one word swapped, or one left out."""

    def wrong(word: str) -> str:
        at = chance.randrange(1, len(word) - 1)
        return word[:at] + chance.choice((word[at + 1] + word[at], word[at + 1])) + word[at + 2 :]

    return _change_word(title, chance, wrong)


def change_number(title: str, chance: random.Random) -> str:
    return _change_word(title, chance, lambda word: word[:-1] if word.endswith("s") else f"{word}s")


def _change_word(title: str, chance: random.Random, change: Callable[[str], str]) -> str:
    words = title.split()
    long = [number for number, word in enumerate(words) if len(word) >= 4 and word.isalpha()]
    if long:
        number = chance.choice(long)
        words[number] = change(words[number])
    return " ".join(words)


RETYPINGS: dict[str, Callable[[str, random.Random], str]] = {
    "a word dropped": drop_word,
    "dash or colon changed": change_sign,
    "other case": change_case,
    "clause after a dash dropped": drop_clause,
    "a typing error": mistype,
    "singular and plural": change_number,
}


def retyped(titles: Iterable[str], chance: random.Random) -> list[Case]:
    """Return every retyping of every title that changes it and leaves at least two words."""
    cases = []
    for title in titles:
        for kind, retype in RETYPINGS.items():
            typed = retype(title, chance)
            if typed != title and len(typed.split()) >= 2:
                cases.append(Case(typed, title_key(title), kind))
    return cases


def seed_cases(archive: Archive) -> list[Case]:
    """Return the sample's own retyped links: no headline fits exactly, and the nearest stands in the same file."""
    cases = []
    for path in readers.find(SEEDS).paths:
        articles = articles_of(path)
        keys = {title_key(article.title) for article in articles}
        for link in (link for article in articles for link in article.read_more if not link.url):
            found = archive.find(link.title, THRESHOLDS[0])
            if found in keys and found != title_key(link.title):
                cases.append(Case(link.title, str(found), "seeds"))
    return cases


def outcomes(articles: Sequence[Article], archive: Archive, cases: Sequence[Case], n_folds: int) -> list[Outcome]:
    """Put every case to the archive, and to the archive without its article."""
    meant = sorted({case.meant for case in cases})
    fold_of = {key: number % n_folds for number, key in enumerate(meant)}
    made = []
    for fold in range(n_folds):
        tell(f"fold {fold + 1} of {n_folds}")
        without = Archive([article for article in articles if fold_of.get(title_key(article.title)) != fold])
        for case in (case for case in cases if fold_of[case.meant] == fold):
            found, false = archive.highest(case.typed), without.highest(case.typed)
            made.append(
                Outcome(
                    case,
                    found[0] if found else None,
                    bool(found and found[1] == case.meant),
                    false[0] if false else None,
                )
            )
    return made


@dataclass(frozen=True, slots=True)
class Count:
    """What one threshold does with the cases."""

    threshold: int
    n: int
    right: int
    wrong: int
    false: int

    @property
    def false_rate(self) -> float:
        """False finds among the cases whose article was taken out, 0 to 1."""
        return self.false / self.n if self.n else 0.0

    @property
    def f_score(self) -> float:
        """Harmonic mean of precision and recall, 0 to 1."""
        return 2 * self.right / (self.n + self.right + self.wrong + self.false) if self.right else 0.0

    def cells(self) -> list[str]:
        """Return the row of the table."""
        missed = self.n - self.right - self.wrong
        counts = [str(self.threshold), *(f"{count:,}" for count in (self.right, self.wrong, missed, self.false))]
        return [*counts, f"{self.false_rate:.2%}", f"{self.f_score:.4f}"]


def count(made: Sequence[Outcome], threshold: int) -> Count:
    found = [outcome for outcome in made if (outcome.highest or 0) >= threshold]
    right = sum(outcome.right for outcome in found)
    false = sum((outcome.highest_without or 0) >= threshold for outcome in made)
    return Count(threshold, len(made), right, len(found) - right, false)


def report(made: Sequence[Outcome], n_archive: int) -> str:
    """Return the page: all thresholds, then each kind of retyping at the best one."""
    same_key = [outcome for outcome in made if title_key(outcome.case.typed) == outcome.case.meant]
    fuzzy = [outcome for outcome in made if title_key(outcome.case.typed) != outcome.case.meant]
    counts = [count(fuzzy, threshold) for threshold in THRESHOLDS]
    safe = [one for one in counts if one.false_rate < MAX_FALSE_RATE]
    header = ["threshold", "found right", "found wrong", "missed", "false finds", "false rate", "F"]
    parts = [
        f"{n_archive:,} headlines; {len(fuzzy):,} retyped ones whose key differs, each asked with and without its article. "
        f"{len(same_key):,} more differ in case and signs alone, {sum(one.right for one in same_key):,} of them found.",
        markdown(header, [one.cells() for one in counts]),
    ]
    if not safe:
        return "\n\n".join([*parts, f"No threshold keeps false finds under {MAX_FALSE_RATE:.1%}."])
    best = max(safe, key=lambda one: (one.f_score, one.threshold))
    parts.append(
        f"Best F with false finds under {MAX_FALSE_RATE:.1%}: **{best.threshold}** (F {best.f_score:.4f}, "
        f"false finds {best.false_rate:.2%})."
    )
    kinds = Counter(outcome.case.kind for outcome in fuzzy)
    rows = []
    for kind in kinds:
        one = count([outcome for outcome in fuzzy if outcome.case.kind == kind], best.threshold)
        rows.append([kind, f"{one.n:,}", *one.cells()[1:-1]])
    return "\n\n".join([*parts, markdown([f"at {best.threshold}", "cases", *header[1:-1]], rows)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the data sets (default: %(default)s)")
    parser.add_argument(
        "--titles", type=int, default=2000, help="headlines that are retyped at most (default: %(default)s)"
    )
    parser.add_argument("--folds", type=int, default=20, help="parts taken out in turn (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the chance (default: %(default)s)")
    given = parser.parse_args()
    chance = random.Random(given.seed)
    wanted = [one for one in data_sets(given.data) if one.name in ("digitalgov", "seeds") and one.source.exists()]
    articles = [article for one in wanted for article in articles_of(one.source)]
    by_key = {title_key(article.title): article.title for article in articles}
    archive = Archive(articles)
    titles = chance.sample(sorted(by_key.values()), min(given.titles, len(by_key)))
    cases = seed_cases(archive) + retyped(titles, chance)
    tell(f"{len(articles):,} headlines, {len(cases):,} cases")
    print(report(outcomes(articles, archive, cases, given.folds), len(articles)))


if __name__ == "__main__":
    main()
