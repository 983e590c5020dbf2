"""Why a story stands in the list, in an editor's words.

Every article gets its *terms*: the few names and words that set it apart from the archive (tf-idf over the archive, names and
headline words counted higher). A reason names the terms that two stories share.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from recommender.article import Article
from recommender.text import title_key, words
from recommender.tokens import stem, terms
from recommender.vectors import UNDATED, found_in

Relation = Literal["same event", "follow-up", "background", "related"]
_MAX_TERMS = 16
_HEAD_WORDS = 400
_MIN_WORD_CHARS = 5
_MIN_QUERY_WORD_CHARS = 4
_MIN_NAME_CHARS = 3
_MAX_NAME_WORDS = 4
_COMMON_SHARE = 0.15
_NAME_BOOST = 2.0
_TITLE_BOOST = 1.5
_MUCH_DENSE = 0.5
_MUCH_TERMS = 0.12
_SOME_DENSE = 0.3
_SAME_EVENT_DAYS = 3
_FOLLOW_UP_DAYS = 183
_MIN_COMMON_CHARS = 4
_MAX_ENDING_CHARS = 3
_MAX_TEXT_CHARS = 20_000
_MAX_SENTENCES = 60
_MAX_SENTENCE_CHARS = 400
_SENTENCES = re.compile(r"(?<=[.!?…])[»”\"]?\s+|\n+")
_COMMA = re.compile(r",\s+")
_SENTENCE_END = re.compile(r"[.!?:;…»”\"]\s+|\n+|[“«„\"(]")

LINKED_BY = "Linked by this story's editor"
LINKED_FROM = "Its editor links to this story"
CLOSE = "Close in subject and wording"
SHORT_FLOOR = "nothing else in the archive is related closely enough"
SHORT_RULES = "nothing else in the archive passes the rules and filters"
EMPTY_FLOOR = "nothing in the archive is related closely enough"
EMPTY_RULES = "nothing in the archive passes the rules and filters"
EMPTY_ARCHIVE = "the archive holds no other article"
HIDDEN = {
    "copy": "a near-copy of a story that is shown",
    "own copy": "a near-copy of the article itself",
    "blocked": "blocked by the desk",
    "unlike": "not related closely enough",
}


@dataclass(frozen=True, slots=True)
class TermCounts:
    """In how many articles of an archive each term stood when they were counted.

    Attributes:
        n_articles: that were counted.
        keys: 64-bit sums of terms, ascending, shape (m,).
        n_with: how many articles had each, shape (m,).
    """

    n_articles: int
    keys: NDArray[np.uint64]
    n_with: NDArray[np.int32]

    def terms(self, article: Article) -> list[str]:
        """Return up to 16 terms of ``article`` as they are written there, the most telling first; ties by spelling.

        Source: tf-idf with sublinear tf and smoothed idf, as in Manning, Raghavan and Schütze, "Introduction to
        Information Retrieval", 6.4. Terms in over 15 % of an archive of some size tell nothing and are left out.
        """
        found = _weights(article)
        at, known = found_in(self.keys, np.array([_sum(key) for key in found], np.uint64))
        counts = np.where(known, self.n_with[at] if len(self.n_with) else 1, 1).tolist()
        scored: list[tuple[float, str, str]] = []
        for (key, (surface, weight)), n_with in zip(found.items(), counts, strict=True):
            if self.n_articles >= 50 and n_with > _COMMON_SHARE * self.n_articles:
                continue
            scored.append((-(1 + math.log(weight)) * math.log(1 + self.n_articles / n_with), key, surface))
        chosen: dict[str, str] = {}
        for _, key, surface in sorted(scored):
            if not any(_contains(other, key) for other in chosen):
                chosen[key] = surface
            if len(chosen) == _MAX_TERMS:
                break
        return list(chosen.values())


class TermCounter:
    """Counts in how many articles each term stands."""

    def __init__(self) -> None:
        self._n_articles = 0
        self._n_with: Counter[int] = Counter()

    def add(self, article: Article) -> None:
        """Count one article of the archive."""
        self._n_articles += 1
        self._n_with.update(map(_sum, _weights(article)))

    def counts(self) -> TermCounts:
        """Return what was counted."""
        keys = np.fromiter(self._n_with.keys(), np.uint64, len(self._n_with))
        n_with = np.fromiter(self._n_with.values(), np.int32, len(self._n_with))
        order = np.argsort(keys)
        return TermCounts(self._n_articles, keys[order], n_with[order])


def shared_terms(own_terms: Sequence[str], other_terms: Sequence[str], language: str | None = None) -> list[str]:
    """Return the terms of both as the first has them, those that rank high in both first.

    A word inside a longer name counts as shared, and so do two forms of one word: the same stem, or, in a language without a
    stemmer, a long common beginning.
    """
    ranks = {_stems(term, language): rank for rank, term in enumerate(other_terms)}
    by_meeting: defaultdict[str, list[tuple[str, ...]]] = defaultdict(list)
    for name in ranks:
        for word in name:
            by_meeting[_meeting(word)].append(name)
    both: list[tuple[int, int, str]] = []
    for rank, term in enumerate(own_terms):
        key = _stems(term, language)
        near = [name for word in key for name in by_meeting.get(_meeting(word), ())]
        meets = [ranks[name] for name in near if _holds(name, key) or _holds(key, name)]
        if meets:
            both.append((rank + min(meets), rank, term))
    return [term for _, _, term in sorted(both)]


def _stemmed(text: str, language: str | None) -> tuple[str, ...]:
    return tuple(stem(word, language) for word in title_key(text).split())


_stems = lru_cache(maxsize=2**14)(_stemmed)  # of terms: an archive uses the same ones over and over
_said = lru_cache(maxsize=16)(_stemmed)  # of whole texts that strangers send: only those in hand


def _meeting(word: str) -> str:
    """Return where two words can meet at all: a word in ASCII with itself alone, any other with all others."""
    return word if word.isascii() else ""


def _holds(words_of_one: tuple[str, ...], words_of_other: tuple[str, ...]) -> bool:
    """Tell whether the words of the second stand in a row in the first."""
    if words_of_other and all(map(str.isascii, words_of_other)):
        return _contains(" ".join(words_of_one), " ".join(words_of_other))
    size = len(words_of_other)
    return size > 0 and any(
        all(map(_same_word, words_of_one[at : at + size], words_of_other)) for at in range(len(words_of_one) - size + 1)
    )


def _same_word(one: str, other: str) -> bool:
    """Tell whether two stems are of one word; what no stemmer has touched may differ in its ending."""
    if one == other:
        return True
    if one.isascii() or other.isascii():
        return False
    shortest, longest = sorted((len(one), len(other)))
    alike = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
    return alike >= _MIN_COMMON_CHARS and longest - alike <= _MAX_ENDING_CHARS and shortest - alike <= _MAX_ENDING_CHARS


def terms_in_text(
    terms: Sequence[str],
    headline: str,
    text: str,
    language: str | None = None,
    tells: Callable[[str], bool] = lambda word: True,
) -> list[str]:
    """Return what a story and a text share: those of its terms that stand in ``text``, then telling words of its headline.

    Args:
        terms, headline: of the story; what stands under its headline may be given along.
        text: its first 20,000 characters are looked at.
        language: the story's; by its stems, forms of one word count as one.
        tells: whether a word of the headline says anything; "with" does not.
    """
    said = _said(text[:_MAX_TEXT_CHARS], language)
    said_words = frozenset(said)
    heard = [word for word in words(headline) if len(word) >= _MIN_QUERY_WORD_CHARS]
    stemmed = ((term, _stems(term, language)) for term in dict.fromkeys([*terms, *heard]))
    met = ((term, stems) for term, stems in stemmed if stems and (stems[0] in said_words or not stems[0].isascii()))
    return [term for term, stems in met if _holds(said, stems) and (term in terms or tells(term))]


def relation(query_at: int, published_at: int, dense: float, terms: float) -> Relation:
    """Return how a story stands to the article, from the time between them and how much they share.

    ``same event``: much in common within three days. ``follow-up``: as much, later, within half a year. ``background``: as
    much, earlier. ``related``: less, or one of the two has no date.

    Args:
        query_at, published_at: seconds; ``UNDATED`` for none.
        dense, terms: cosines of vectors and of terms.
    """
    if UNDATED in (query_at, published_at) or not (
        dense >= _MUCH_DENSE or (dense >= _SOME_DENSE and terms >= _MUCH_TERMS)
    ):
        return "related"
    days = (published_at - query_at) / 86_400
    if abs(days) <= _SAME_EVENT_DAYS and dense >= _MUCH_DENSE and terms >= _MUCH_TERMS:
        return "same event"
    if days < 0:
        return "background"
    return "follow-up" if days <= _FOLLOW_UP_DAYS else "related"


def similar_reason(shared: Iterable[str], relation: Relation = "related", *, to_text: bool = False) -> str:
    """Return the reason for a story that is similar: how it stands to the article, and what both are about.

    Args:
        shared: what the two share, the most telling first; three are named.
        relation: see :func:`relation`; ``related`` is not said.
        to_text: the other one is a free text, not a story.
    """
    named: list[str] = []
    for term in shared:
        if not any(_contains(_key(other), _key(term)) or _contains(_key(term), _key(other)) for other in named):
            named.append(term)
        if len(named) == 3:
            break
    told = "" if relation == "related" or to_text else f"{relation.capitalize()}: "
    if not named:
        return f"{told}{CLOSE.lower()}" if told else CLOSE
    listed = named[0] if len(named) == 1 else f"{', '.join(named[:-1])} and {named[-1]}"
    if told:
        return f"{told}both about {listed}"
    return f"{'Mentions' if to_text else 'Both about'} {listed}"


def alike_sentences(text: str, other: str, language: str | None) -> list[str] | None:
    """Return the pair of sentences, one of each text, that share the most telling terms; None where none share any.

    A term tells the more, the fewer sentences of the two texts it stands in. The first 60 sentences of each are looked at.
    """
    sides = [
        [part.strip() for part in _SENTENCES.split(each) if part.strip()][:_MAX_SENTENCES] for each in (text, other)
    ]
    found = [[set(terms(sentence, language)) for sentence in side] for side in sides]
    n_with = Counter(term for side in found for each in side for term in each)
    n_all = len(found[0]) + len(found[1])

    def alike(pair: tuple[int, int]) -> float:
        one, two = found[0][pair[0]], found[1][pair[1]]
        weight = math.fsum(sorted(math.log(1 + n_all / n_with[term]) for term in one & two))
        return weight / math.sqrt((len(one) + 1) * (len(two) + 1))

    pairs = [(i, j) for i in range(len(sides[0])) for j in range(len(sides[1]))]
    best = max(pairs, key=lambda pair: (alike(pair), -pair[0], -pair[1]), default=None)
    if best is None or alike(best) == 0:
        return None
    return [sides[0][best[0]][:_MAX_SENTENCE_CHARS], sides[1][best[1]][:_MAX_SENTENCE_CHARS]]


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
        # A comma parts two names ("Trump, Zelensky"); it is no token, and ends a run as the empty one at the end does.
        tokens = [token for part in _COMMA.split(sentence) for token in (*words(part), "")]
        n_words = sum(map(bool, tokens))
        headline_case = n_words > 3 and sum(token[:1].isupper() for token in tokens) > 0.6 * n_words
        run: list[str] = []
        for position, token in enumerate(tokens):
            is_first = position == 0 and len(token) < _MIN_WORD_CHARS
            if token[:1].isupper() and token.lower() not in lower and not is_first and not headline_case:
                run.append(_without_possessive(token))
                continue
            if run and len(" ".join(run)) >= _MIN_NAME_CHARS:
                yield " ".join(run[:_MAX_NAME_WORDS]), True
            run = []
            if len(token) >= _MIN_WORD_CHARS and not token[:1].isdigit():
                yield token, False


@lru_cache(maxsize=2**14)
def _key(phrase: str) -> str:
    """Return the title key of a word or name; an archive uses the same ones over and over."""
    return title_key(phrase)


@lru_cache(maxsize=2**14)
def _sum(key: str) -> int:
    raw = hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(raw, "little")


def _without_possessive(word: str) -> str:
    return re.sub("['’]s?$", "", word)
