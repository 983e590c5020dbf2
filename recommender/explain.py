"""Why a story stands in the list, in an editor's words.

At rebuild every article gets its *terms*: the few names and words that set it apart from the archive (tf-idf over the
archive, names and headline words counted higher). A reason names the terms that two stories share.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache

from recommender.article import Article
from recommender.text import title_key, words

_MAX_TERMS = 16
_HEAD_WORDS = 400
_MIN_WORD_CHARS = 5
_MIN_QUERY_WORD_CHARS = 4
_MIN_NAME_CHARS = 3
_MAX_NAME_WORDS = 4
_COMMON_SHARE = 0.15
_NAME_BOOST = 2.0
_TITLE_BOOST = 1.5
_SENTENCE_END = re.compile(r"[.!?:;…»”\"]\s+|\n+|[“«„\"(]")

LINKED_BY = "Linked by this story's editor"
LINKED_FROM = "Its editor links to this story"
CLOSE = "Close in subject and wording"


class TermCounter:
    """Counts in how many articles each term stands; then picks the terms of one article."""

    def __init__(self) -> None:
        self._n_articles = 0
        self._n_with: Counter[str] = Counter()

    def add(self, article: Article) -> None:
        """Count one article of the archive."""
        self._n_articles += 1
        self._n_with.update(_weights(article).keys())

    def terms(self, article: Article) -> list[str]:
        """Return up to 16 terms of ``article`` as they are written there, the most telling first; ties by spelling.

        Source: tf-idf with sublinear tf and smoothed idf, as in Manning, Raghavan and Schütze, "Introduction to
        Information Retrieval", 6.4. Terms in over 15 % of an archive of some size tell nothing and are left out.
        """
        scored: list[tuple[float, str, str]] = []
        for key, (surface, weight) in _weights(article).items():
            n_with = max(1, self._n_with[key])
            if self._n_articles >= 50 and n_with > _COMMON_SHARE * self._n_articles:
                continue
            scored.append((-(1 + math.log(weight)) * math.log(1 + self._n_articles / n_with), key, surface))
        chosen: dict[str, str] = {}
        for _, key, surface in sorted(scored):
            if not any(_contains(other, key) for other in chosen):
                chosen[key] = surface
            if len(chosen) == _MAX_TERMS:
                break
        return list(chosen.values())


def shared_terms(terms: Sequence[str], other_terms: Sequence[str]) -> list[str]:
    """Return the terms of both, those that rank high in both first. A word inside a longer name counts as shared."""
    ranks = {_key(term): rank for rank, term in enumerate(other_terms)}
    both: list[tuple[int, int, str]] = []
    for rank, term in enumerate(terms):
        key = _key(term)
        meets = [other for name, other in ranks.items() if _contains(name, key) or _contains(key, name)]
        if meets:
            both.append((rank + min(meets), rank, term))
    return [term for _, _, term in sorted(both)]


def terms_in_text(terms: Sequence[str], title: str, description: str, text: str) -> list[str]:
    """Return what a story and a text share: those of its terms that stand in ``text``, then words of its headline and standfirst."""
    folded = title_key(text)
    headline = [word for word in words(f"{title}\n{description}") if len(word) >= _MIN_QUERY_WORD_CHARS]
    return [term for term in dict.fromkeys([*terms, *headline]) if _contains(folded, title_key(term))]


def similar_reason(shared: Iterable[str], *, to_text: bool = False) -> str:
    """Return the reason for a story that is similar: what both are about, or that they are close.

    Args:
        shared: what the two share, the most telling first; three are named.
        to_text: the other one is a free text, not a story.
    """
    named: list[str] = []
    for term in shared:
        if not any(
            _contains(title_key(other), title_key(term)) or _contains(title_key(term), title_key(other))
            for other in named
        ):
            named.append(term)
        if len(named) == 3:
            break
    if not named:
        return CLOSE
    listed = named[0] if len(named) == 1 else f"{', '.join(named[:-1])} and {named[-1]}"
    return f"{'Mentions' if to_text else 'Both about'} {listed}"


def _contains(text: str, key: str) -> bool:
    return bool(key) and f" {key} " in f" {text} "


def _weights(article: Article) -> dict[str, tuple[str, float]]:
    """Return the terms of an article by key: how they are written, and how much they weigh there."""
    body = " ".join(article.text.split(" ", _HEAD_WORDS)[:_HEAD_WORDS])
    found: dict[str, tuple[str, float]] = {}
    lower = {word for word in words(f"{article.title}\n{article.description}\n{body}") if word[:1].islower()}
    for text, boost in ((article.title, _TITLE_BOOST), (article.description, 1.0), (body, 1.0)):
        for phrase, is_name in _phrases(text, lower):
            key = _key(phrase)
            surface, weight = found.get(key, (phrase, 0.0))
            if surface.isupper() and not phrase.isupper():
                surface = phrase  # a dateline in capitals is no way to write a name
            found[key] = (surface, weight + boost * (_NAME_BOOST if is_name else 1.0))
    return found


def _phrases(text: str, lower: set[str]) -> Iterable[tuple[str, bool]]:
    """Yield (phrase, is a name): runs of capitalised words, and every other word that is long enough.

    A capitalised word that the article also writes small ("Talks", "talks") is a word, not a name, and so is every
    word of a Headline Written Like This.
    """
    for sentence in _SENTENCE_END.split(text):
        tokens = words(sentence)
        headline_case = len(tokens) > 3 and sum(token[:1].isupper() for token in tokens) > 0.6 * len(tokens)
        run: list[str] = []
        for position, token in enumerate([*tokens, ""]):
            is_first = position == 0 and len(token) < _MIN_WORD_CHARS
            if token[:1].isupper() and token.lower() not in lower and not is_first and not headline_case:
                run.append(_without_possessive(token))
                continue
            if run and len(" ".join(run)) >= _MIN_NAME_CHARS:
                yield " ".join(run[:_MAX_NAME_WORDS]), True
            run = []
            if len(token) >= _MIN_WORD_CHARS and not token[:1].isdigit():
                yield token, False


@lru_cache(maxsize=2**16)
def _key(phrase: str) -> str:
    """Return the title key of a word or name; an archive uses the same ones over and over."""
    return title_key(phrase)


def _without_possessive(word: str) -> str:
    return re.sub("['’]s?$", "", word)
