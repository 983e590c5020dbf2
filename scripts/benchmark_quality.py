#!/usr/bin/env python3
"""How well the raw ranking finds what editors judged related, beside three baselines, on every judged set that is here.

    .venv/bin/python scripts/benchmark_quality.py --homes /tmp/homes > quality.md

Needs the extras ``model``, ``onnx`` and ``bench``. Each set goes through the product's own commands in a home of its own:
``ingest``, ``rebuild``, ``related --all --raw --ranker dense --format trec -k 100`` with and without ``--past-only``. Raw means the
article's vector alone: no link, no rule, no language. ``--no-stubs`` is given, too, since the baselines know articles only
and a stub cannot be judged. The baselines rank the same articles, the article itself left out:

* BM25 (k1 1.2, b 0.75), the whole article as query: Snowball stems of the article's language, without its stop words;
* TF-IDF cosine (sublinear, single words), the same stems;
* the plain vector: title and text in one piece, cut at the encoder's window, the same weights, nothing taken away.

A mean goes over every judged query; a ranking is cut at 100. "Past only" ranks what was published at or before the
article's own date, and stays empty where articles have no dates. The intervals are 95 % bootstrap intervals over queries;
differences are paired. With ``--homes`` a second run encodes nothing; remove a home whose set has lost
articles, since ingest only adds and replaces.
"""

from __future__ import annotations

import argparse
import math
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import bm25s
import numpy as np
import Stemmer
from _bench import DATA, DataSet, articles_of, data_sets, folder_of, markdown, output_of, recommender, tell
from bm25s import stopwords
from numpy.typing import NDArray
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, TfidfVectorizer

from recommender.article import Article
from recommender.compose import open_encoder
from recommender.home import Home
from recommender.measures import MRR, Qrels, Run, bootstrap_interval, ndcg_at, read_qrels, read_run, recall_at
from recommender.settings import load_settings
from recommender.text import base_language, digest
from recommender.vectors import Matrix, normalise

MEASURES = (ndcg_at(5), ndcg_at(10), recall_at(10), MRR)
MAIN = MEASURES[0]
DEPTH = 100
OURS, BM25, TFIDF, PLAIN = "recommender, dense (raw)", "BM25", "TF-IDF cosine", "plain one-text vector"
# Stemmer and stop words of a language, as the baselines' own libraries give them.
LEXICAL: dict[str, tuple[str, Iterable[str]]] = {
    "da": ("danish", stopwords.STOPWORDS_DANISH),
    "de": ("german", stopwords.STOPWORDS_GERMAN),
    "en": ("english", ENGLISH_STOP_WORDS),
    "es": ("spanish", stopwords.STOPWORDS_SPANISH),
    "fr": ("french", stopwords.STOPWORDS_FRENCH),
    "it": ("italian", stopwords.STOPWORDS_ITALIAN),
    "nl": ("dutch", stopwords.STOPWORDS_DUTCH),
    "no": ("norwegian", stopwords.STOPWORDS_NORWEGIAN),
    "pt": ("portuguese", stopwords.STOPWORDS_PORTUGUESE),
    "ru": ("russian", stopwords.STOPWORDS_RUSSIAN),
    "sv": ("swedish", stopwords.STOPWORDS_SWEDISH),
    "tr": ("turkish", stopwords.STOPWORDS_TURKISH),
}

Scores = NDArray[np.float64]
"""Shape (queries, articles); -inf where an article is no candidate."""
Mask = NDArray[np.bool_]

_WORD = re.compile(r"\b\w\w+\b")


@dataclass(frozen=True, slots=True)
class Corpus:
    """Articles in ascending order of id, and which of them are asked about.

    Attributes:
        articles: all of them.
        queries: positions of the judged articles.
        tokens: the stems of each article's title and text.
    """

    articles: Sequence[Article]
    queries: NDArray[np.int64]
    tokens: Sequence[list[str]]

    @property
    def dated(self) -> bool:
        """Whether every judged article has a date."""
        return all(self.articles[number].published_at for number in self.queries)

    def candidates(self, *, past_only: bool) -> Mask:
        """Return which articles each query may find, shape (queries, articles)."""
        mask = np.ones((len(self.queries), len(self.articles)), dtype=np.bool_)
        mask[np.arange(len(self.queries)), self.queries] = False
        if past_only:
            seconds = [
                article.published_at.timestamp() if article.published_at else math.inf for article in self.articles
            ]
            instants = np.array(seconds)
            mask &= instants[None, :] <= instants[self.queries][:, None]
        return mask


def one_text(article: Article) -> str:
    return f"{article.title}\n{article.text}"


def stems(article: Article) -> list[str]:
    """Return the stems of an article's words of two letters and more, stop words left out; plain words where no stemmer exists."""
    language = base_language(article.language)
    found = _WORD.findall(one_text(article).casefold())
    if language not in LEXICAL:
        return found
    stemmer, stop_words = _lexical(language)
    stemmed: list[str] = stemmer.stemWords([word for word in found if word not in stop_words])
    return stemmed


@cache
def _lexical(language: str) -> tuple[Any, frozenset[str]]:
    name, stop_words = LEXICAL[language]
    return Stemmer.Stemmer(name), frozenset(stop_words)


def bm25_scores(corpus: Corpus) -> Scores:
    index = bm25s.BM25(k1=1.2, b=0.75)
    index.index(corpus.tokens, show_progress=False)
    return _only_matches(np.array([index.get_scores(corpus.tokens[number]) for number in corpus.queries], np.float64))


def tfidf_scores(corpus: Corpus) -> Scores:
    matrix = TfidfVectorizer(analyzer=list, sublinear_tf=True).fit_transform(corpus.tokens)
    return _only_matches((matrix[corpus.queries] @ matrix.T).toarray())


def plain_scores(corpus: Corpus, home: Path) -> Scores:
    vectors = plain_vectors(corpus.articles, home)
    return np.asarray(vectors[corpus.queries] @ vectors.T, np.float64)


def _only_matches(scores: Scores) -> Scores:
    """Take away articles that share no word with the query: their order would be chance."""
    return np.where(scores > 0, scores, -np.inf)


def plain_vectors(articles: Sequence[Article], home: Path) -> Matrix:
    """Return the vector of each article's title and text in one piece; kept beside the home, by content."""
    settings = load_settings(None, {"home": home, "encoder.threads": os.cpu_count()})
    encoder = open_encoder(Home(home), settings.encoder)
    kept = home.with_name(f"{home.name}.plain-{digest(encoder.name, *map(one_text, articles)).hex()[:16]}.npy")
    if kept.exists():
        return normalise(np.load(kept, allow_pickle=False))
    tell(f"  encoding {len(articles):,} plain texts")
    vectors = encoder.encode([one_text(article) for article in articles])
    np.save(kept, vectors)
    return vectors


def ranked(corpus: Corpus, scores: Scores, *, past_only: bool) -> Run:
    """Return the best candidates of each query; scores rounded to six decimals, ties by id, as in the product."""
    masked = np.where(corpus.candidates(past_only=past_only), np.round(scores, 6), -np.inf)
    run: dict[str, list[str]] = {}
    for number, row in zip(corpus.queries, masked, strict=True):
        best = np.argsort(-row, kind="stable")[:DEPTH]
        run[corpus.articles[number].id] = [corpus.articles[at].id for at in best if row[at] > -np.inf]
    return run


def our_run(home: Path, *, past_only: bool) -> Run:
    """Return what the product prints for every article of the home."""
    when = "--past-only" if past_only else "--any-date"
    wanted = (
        "related",
        "--all",
        "--raw",
        "--ranker",
        "dense",
        "--no-stubs",
        "--format",
        "trec",
        "-k",
        str(DEPTH),
        when,
    )
    return read_run(output_of(recommender(home, *wanted)).splitlines())


def prepare(data_set: DataSet, homes: Path) -> Path:
    """Bring a home up to the set and return it."""
    home = homes / data_set.name
    tell(f"{data_set.name}: ingest and rebuild (minutes the first time)")
    output_of(recommender(home, "ingest", str(data_set.source)))
    tell("  " + output_of(recommender(home, "rebuild")).strip().replace("\n", "; "))
    return home


def runs(corpus: Corpus, home: Path) -> dict[str, tuple[Run, Run | None]]:
    """Return each system's run over any date and, where articles have dates, over the past only."""
    made: dict[str, tuple[Run, Run | None]] = {
        OURS: (our_run(home, past_only=False), our_run(home, past_only=True) if corpus.dated else None)
    }
    for name, scores in (
        (BM25, bm25_scores(corpus)),
        (TFIDF, tfidf_scores(corpus)),
        (PLAIN, plain_scores(corpus, home)),
    ):
        past = ranked(corpus, scores, past_only=True) if corpus.dated else None
        made[name] = (ranked(corpus, scores, past_only=False), past)
    return made


def quality_table(made: Mapping[str, tuple[Run, Run | None]], qrels: Qrels) -> str:
    header = ["system", f"{MAIN.name} [95 %]", *(measure.name for measure in MEASURES[1:])]
    past = [f"past: {name}" for name in header[1:]]
    rows = [[name, *_cells(any_date, qrels), *_cells(past_only, qrels)] for name, (any_date, past_only) in made.items()]
    return markdown(header + past, rows)


def _cells(run: Run | None, qrels: Qrels) -> list[str]:
    if run is None:
        return [""] * len(MEASURES)
    low, high = bootstrap_interval(list(MAIN.per_query(run, qrels).values()))
    main, *rest = (f"{measure.mean(run, qrels):.3f}" for measure in MEASURES)
    return [f"{main} [{low:.3f}, {high:.3f}]", *rest]


def difference_table(made: Mapping[str, tuple[Run, Run | None]], qrels: Qrels) -> str:
    """Return our raw ranking against the baselines, query by query."""
    header = [
        "dense (raw) against",
        f"{MAIN.name} difference [95 %]",
        "ratio",
        "past: difference [95 %]",
        "past: ratio",
    ]
    rows = []
    for name in (PLAIN, TFIDF, BM25):
        pairs = zip(made[OURS], made[name], strict=True)
        rows.append([name, *(cell for ours, theirs in pairs for cell in _difference(ours, theirs, qrels))])
    return markdown(header, rows)


def _difference(ours: Run | None, theirs: Run | None, qrels: Qrels) -> list[str]:
    if ours is None or theirs is None:
        return ["", ""]
    one, other = MAIN.per_query(ours, qrels), MAIN.per_query(theirs, qrels)
    low, high = bootstrap_interval([one[query] - other[query] for query in one])
    difference, below = MAIN.mean(ours, qrels) - MAIN.mean(theirs, qrels), MAIN.mean(theirs, qrels)
    return [f"{difference:+.3f} [{low:+.3f}, {high:+.3f}]", f"{1 + difference / below:.3f}" if below else ""]


def report(data_set: DataSet, homes: Path) -> str:
    """Measure one set and return its part of the page."""
    reason = data_set.missing()
    if reason or data_set.qrels is None:
        return f"## {data_set.name}\n\nSkipped: {reason}."
    qrels = read_qrels(data_set.qrels.read_text(encoding="utf-8").splitlines(), str(data_set.qrels))
    home = prepare(data_set, homes)
    articles = articles_of(data_set.source)
    queries = [
        number
        for number, article in enumerate(articles)
        if any(grade > 0 for grade in qrels.get(article.id, {}).values())
    ]
    corpus = Corpus(articles, np.array(queries, np.int64), [stems(article) for article in articles])
    made = runs(corpus, home)
    n_relevant = sum(grade > 0 for grades in qrels.values() for grade in grades.values())
    size = f"{len(articles):,} articles, {len(queries):,} judged queries, {n_relevant:,} relevant pairs."
    return "\n\n".join([f"## {data_set.name}", size, quality_table(made, qrels), difference_table(made, qrels)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the data sets (default: %(default)s)")
    parser.add_argument("--homes", type=Path, help="keep the homes here, so that another run encodes nothing")
    given = parser.parse_args()
    with folder_of(given.homes) as homes:
        for data_set in data_sets(given.data):
            print(report(data_set, homes), end="\n\n", flush=True)


if __name__ == "__main__":
    main()
