#!/usr/bin/env python3
"""Which lexical engine finds related articles well, quickly and in little memory: five, three of them asked in two ways.

    .venv/bin/python scripts/benchmark_lexical.py > lexical.md

Needs the extra ``bench``, tantivy, an SQLite with FTS5, and Linux (memory is read from ``/proc``). Every engine gets the same
tokens and the same questions. Tokens are English Snowball stems of title, standfirst and text, stop words kept. A question is
the 100 terms of an article with the highest (1 + ln count) × idf, title words counted three times; a term's weight is
1 + ln count, since the engine brings the idf itself. An engine that cannot be given weights gets the bare terms. BM25 has
k1 2.0 and b 0.75 where they can be set.

* **Quality** is measured on digitalgov: all judged articles, any date, the article itself left out.
* **Speed and size** are measured on synthetic articles of about 400 words: about 60 % of the words are sentences of one real
  article of digitalgov, drawn by chance with a fixed seed, the others are sentences drawn from the whole set; the headline is the
  real article's. Shares of articles that hold a term are natural so, but no word is new: a real archive of that size has more
  terms, most of them rare, so its vocabulary is larger and its posting lists are shorter than these.
* **Memory** is what a process of its own adds by opening the index and answering the warm-up and the 200 timed questions,
  one after the other in one thread: "anon" is its own, "file" are pages of mapped files, which processes share and the system
  can drop. What a library takes to be imported, beside numpy, stands in columns of its own.

The files lie in the page cache when they are read. MB are 2^20 bytes; a ranking is cut at 100.
"""

# ruff: noqa: D102 (what an engine's methods do is said once, in Engine)

from __future__ import annotations

import argparse
import importlib
import json
import math
import multiprocessing
import os
import re
import sqlite3
import statistics
import sys
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from _bench import DATA, DataSet, articles_of, data_sets, folder_of, markdown, output_of, tell
from numpy.typing import NDArray

from recommender.article import Article
from recommender.measures import Qrels, bootstrap_interval, ndcg_at, read_qrels

MEASURE = ndcg_at(5)
DEPTH = 100
K1, B = 2.0, 0.75
N_TERMS, TITLE_COUNTS = 100, 3
N_WORDS, OWN_SHARE = 400, 0.6
N_WARM_UP, N_QUERIES = 20, 200

Terms = Mapping[str, float]
"""Term to weight, strongest first."""
Result = TypeVar("Result")

_WORD = re.compile(r"\b\w\w+\b")
_SENTENCE = re.compile(r"\n|(?<=[.!?])\s+")


# The corpora.


@dataclass(frozen=True, slots=True)
class Stems:
    """The stems of an article: of its title, and of each sentence below it."""

    title: list[str]
    sentences: Sequence[list[str]]

    def all(self) -> list[str]:
        """Return them in one list."""
        return [*self.title, *chain.from_iterable(self.sentences)]


def stems_of(articles: Sequence[Article]) -> list[Stems]:
    import Stemmer  # here and below: a process that measures an engine holds no other library

    stemmer = Stemmer.Stemmer("english")

    def stems(text: str) -> list[str]:
        found: list[str] = stemmer.stemWords(_WORD.findall(text.casefold()))
        return found

    return [
        Stems(
            stems(article.title), [*filter(None, map(stems, _SENTENCE.split(f"{article.description}\n{article.text}")))]
        )
        for article in articles
    ]


def synthetic(real: Sequence[Stems], n: int, seed: int) -> list[Stems]:
    """Return ``n`` articles made of the sentences of real ones, as the module's docstring says."""
    generator = np.random.default_rng(seed)
    own_words = round(N_WORDS * OWN_SHARE)
    mains = [article for article in real if sum(map(len, article.sentences)) >= own_words]
    pool = [sentence for article in real for sentence in article.sentences]
    made = []
    for at in generator.integers(len(mains), size=n):
        own = mains[at].sentences
        chosen = _until(own_words, [own[number] for number in generator.permutation(len(own))])
        missing = N_WORDS - sum(map(len, chosen))
        others = [pool[number] for number in generator.integers(len(pool), size=max(missing, 0))]
        made.append(Stems(mains[at].title, chosen + _until(missing, others)))
    return made


def _until(n_words: int, sentences: Sequence[list[str]]) -> list[list[str]]:
    """Return the first sentences that have ``n_words`` words together."""
    before = np.cumsum([0, *map(len, sentences)])[:-1]
    return list(sentences[: int(np.count_nonzero(before < n_words))])


def frequencies_of(articles: Iterable[Stems]) -> Counter[str]:
    """Return how many articles hold each term."""
    return Counter(chain.from_iterable(set(article.all()) for article in articles))


def questions(articles: Sequence[Stems], frequencies: Mapping[str, int], numbers: Iterable[int]) -> list[Terms]:
    """Return the strongest terms of the numbered articles with their weights; ties by term."""

    def question(article: Stems) -> Terms:
        counts = Counter(article.all() + article.title * (TITLE_COUNTS - 1))
        weights = {term: 1 + math.log(count) for term, count in counts.items()}
        strength = {term: -weight * math.log(len(articles) / frequencies[term]) for term, weight in weights.items()}
        return {term: weights[term] for term in sorted(weights, key=lambda term: (strength[term], term))[:N_TERMS]}

    return [question(articles[number]) for number in numbers]


def write_corpus(file: Path, articles: Iterable[Stems]) -> None:
    with file.open("w", encoding="utf-8") as lines:
        lines.writelines(" ".join(article.all()) + "\n" for article in articles)


def read_corpus(file: Path) -> list[list[str]]:
    """Return the tokens of each article."""
    with file.open(encoding="utf-8") as lines:
        return [[sys.intern(token) for token in line.split()] for line in lines]


# The engines.


class Engine(ABC):
    """An index in a folder. ``open`` before the first ``query``; imports of its library are left to them.

    Attributes:
        name, parameters, weights, filters, exact: as printed; the last two say whether a mask over articles can be given, and
            whether the scores of given articles can be had.
        library: the module that it needs beside numpy, if any.
    """

    name: str
    library: str | None
    parameters: str
    weights: str
    filters: str
    exact: str

    @abstractmethod
    def build(self, token_lists: Sequence[list[str]], folder: Path) -> None:
        """Write the index of the articles, row by row, into an empty folder."""

    @abstractmethod
    def open(self, folder: Path) -> None:
        """Get ready for questions."""

    @abstractmethod
    def query(self, terms: Terms) -> Sequence[int]:
        """Return the rows of the best articles, best first, 100 at most."""


class Bm25s(Engine):
    """bm25s with its files mapped."""

    library = "bm25s"
    parameters = f"{K1}, {B}"
    filters = "yes, a factor for each article"
    exact = "yes, all are made"

    def __init__(self, *, repeat: bool) -> None:
        self._repeat = repeat
        self.name = "bm25s, terms repeated" if repeat else "bm25s"
        self.weights = "whole numbers" if repeat else "none"

    def build(self, token_lists: Sequence[list[str]], folder: Path) -> None:
        import bm25s

        index = bm25s.BM25(k1=K1, b=B)
        index.index(token_lists, show_progress=False)
        index.save(folder, show_progress=False)

    def open(self, folder: Path) -> None:
        import bm25s

        self._index = bm25s.BM25.load(folder, mmap=True, show_progress=False)

    def query(self, terms: Terms) -> Sequence[int]:
        times = {term: round(weight) if self._repeat else 1 for term, weight in terms.items()}
        tokens = [term for term, n in times.items() for _ in range(n)]
        depth = min(DEPTH, self._index.scores["num_docs"])
        rows: list[int] = self._index.retrieve([tokens], k=depth, show_progress=False).documents[0].tolist()
        return rows


class Tantivy(Engine):
    """tantivy; its BM25 has fixed parameters and rounds the lengths of articles to one byte."""

    library = "tantivy"
    parameters = "1.2, 0.75 (fixed)"
    filters = "no mask, only one more query"
    exact = "no, one explanation at a time"

    def __init__(self, *, boost: bool) -> None:
        self._boost = boost
        self.name = "tantivy, boosts" if boost else "tantivy"
        self.weights = "yes" if boost else "none"

    def build(self, token_lists: Sequence[list[str]], folder: Path) -> None:
        import tantivy

        schema = tantivy.SchemaBuilder().add_integer_field("row", fast=True)
        schema.add_text_field("tokens", tokenizer_name="blanks", index_option="freq")
        index = tantivy.Index(schema.build(), path=str(folder))
        index.register_tokenizer("blanks", tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build())
        writer = index.writer(heap_size=1_000_000_000, num_threads=1)
        for row, tokens in enumerate(token_lists):
            writer.add_document(tantivy.Document(row=row, tokens=" ".join(tokens)))
        writer.commit()
        writer.wait_merging_threads()

    def open(self, folder: Path) -> None:
        import tantivy

        self._tantivy = tantivy
        index = tantivy.Index.open(str(folder))
        self._schema, self._searcher = index.schema, index.searcher()

    def query(self, terms: Terms) -> Sequence[int]:
        query = self._tantivy.Query
        parts = []
        for term, weight in terms.items():
            part = query.term_query(self._schema, "tokens", term, "freq")
            parts.append((self._tantivy.Occur.Should, query.boost_query(part, weight) if self._boost else part))
        hits = self._searcher.search(query.boolean_query(parts), DEPTH, count=False).hits
        rows = self._searcher.fast_field_values("row", [address for _, address in hits])
        return [int(row) for row in rows if row is not None]


class Fts5(Engine):
    """SQLite FTS5 without the articles' content; ``detail=full``, since its BM25 counts nothing in the smaller forms."""

    name = "SQLite FTS5"
    library = "sqlite3"
    parameters = "1.2, 0.75 (fixed)"
    weights = "none"
    filters = "as SQL, on row numbers"
    exact = "as SQL, on row numbers"

    def build(self, token_lists: Sequence[list[str]], folder: Path) -> None:
        connection = sqlite3.connect(folder / "index.sqlite")
        tokenizer = "tokenize=\"unicode61 remove_diacritics 0 tokenchars '_'\""
        with connection:
            connection.execute(
                f"CREATE VIRTUAL TABLE articles USING fts5(tokens, content='', detail=full, {tokenizer})"
            )
            rows = ((row, " ".join(tokens)) for row, tokens in enumerate(token_lists))
            connection.executemany("INSERT INTO articles (rowid, tokens) VALUES (?, ?)", rows)
            connection.execute("INSERT INTO articles (articles) VALUES ('optimize')")
        connection.execute("VACUUM")
        connection.close()

    def open(self, folder: Path) -> None:
        self._connection = sqlite3.connect(folder / "index.sqlite")

    def query(self, terms: Terms) -> Sequence[int]:
        wanted = " OR ".join(f'"{term}"' for term in terms)
        sql = "SELECT rowid FROM articles WHERE articles MATCH ? ORDER BY rank LIMIT ?"
        return [row for (row,) in self._connection.execute(sql, (wanted, DEPTH))]


class SciPy(Engine):
    """A matrix of terms by articles in CSR form, its arrays mapped; a question is a vector times its terms' rows."""

    name = "scipy.sparse"
    library = "scipy.sparse"
    parameters = f"{K1}, {B}"
    weights = "yes"
    filters = "yes, a mask"
    exact = "yes, all are made"

    def build(self, token_lists: Sequence[list[str]], folder: Path) -> None:
        save_postings(postings_of(token_lists), folder, np.float32)

    def open(self, folder: Path) -> None:
        from scipy import sparse

        found = load_postings(folder)
        self._number_of = found.number_of()
        arrays = (found.weights, found.rows, found.starts)
        self._matrix = sparse.csr_array(arrays, shape=(len(found.terms), found.n_articles), copy=False)

    def query(self, terms: Terms) -> Sequence[int]:
        known = {self._number_of[term]: weight for term, weight in terms.items() if term in self._number_of}
        # The product of a sparse row and the matrix makes a sparse row, which takes twice as long.
        return best(self._matrix[list(known)].T @ np.fromiter(known.values(), np.float32, len(known)))


class NumPy(Engine):
    """Posting lists one after the other in mapped arrays, weights of two bytes; added up in one call or list by list."""

    library = None
    parameters = f"{K1}, {B}"
    weights = "yes"
    filters = "yes, a mask"
    exact = "yes, all are made"

    def __init__(self, *, bincount: bool) -> None:
        self._sum = self._by_bincount if bincount else self._by_add_at
        self.name = "NumPy postings, bincount" if bincount else "NumPy postings, add.at"

    def build(self, token_lists: Sequence[list[str]], folder: Path) -> None:
        save_postings(postings_of(token_lists), folder, np.float16)

    def open(self, folder: Path) -> None:
        self._postings = load_postings(folder)
        self._number_of = self._postings.number_of()

    def query(self, terms: Terms) -> Sequence[int]:
        known = ((self._number_of[term], weight) for term, weight in terms.items() if term in self._number_of)
        starts, rows, weights = self._postings.starts, self._postings.rows, self._postings.weights
        spans = ((slice(starts[number], starts[number + 1]), np.float32(weight)) for number, weight in known)
        return best(self._sum([(rows[span], weights[span] * weight) for span, weight in spans]))

    def _by_bincount(self, lists: Sequence[tuple[NDArray[np.int32], NDArray[np.float32]]]) -> NDArray[Any]:
        rows, weights = (np.concatenate(column) for column in zip(*lists, strict=True))
        return np.bincount(rows, weights, minlength=self._postings.n_articles)

    def _by_add_at(self, lists: Sequence[tuple[NDArray[np.int32], NDArray[np.float32]]]) -> NDArray[Any]:
        scores = np.zeros(self._postings.n_articles, np.float32)
        for rows, weights in lists:
            np.add.at(scores, rows, weights)
        return scores


ENGINES: tuple[Callable[[], Engine], ...] = (
    lambda: Bm25s(repeat=False),
    lambda: Bm25s(repeat=True),
    lambda: Tantivy(boost=False),
    lambda: Tantivy(boost=True),
    Fts5,
    SciPy,
    lambda: NumPy(bincount=True),
    lambda: NumPy(bincount=False),
)


@dataclass(frozen=True, slots=True)
class Postings:
    """An inverted index.

    Attributes:
        terms: in ascending order.
        starts: shape (terms + 1,), int32; where each term's list starts.
        rows: shape (postings,), int32; ascending within a list.
        weights: shape (postings,); the BM25 weight of a term in an article.
        n_articles: how many articles there are.
    """

    terms: Sequence[str]
    starts: NDArray[np.int32]
    rows: NDArray[np.int32]
    weights: NDArray[Any]
    n_articles: int

    def number_of(self) -> dict[str, int]:
        return {term: number for number, term in enumerate(self.terms)}


def postings_of(token_lists: Sequence[list[str]]) -> Postings:
    """Return the inverted index; idf is ln(1 + (N − n + 0.5) / (n + 0.5)), as in Lucene."""
    n = len(token_lists)
    terms = sorted(set().union(*token_lists))
    number_of = {term: number for number, term in enumerate(terms)}
    lengths = np.array([len(tokens) for tokens in token_lists], np.int64)
    tokens = np.fromiter(map(number_of.__getitem__, chain.from_iterable(token_lists)), np.int64, lengths.sum())
    pairs, counts = np.unique(tokens * n + np.repeat(np.arange(n), lengths), return_counts=True)
    numbers, rows = np.divmod(pairs, n)
    frequencies = np.bincount(numbers, minlength=len(terms))
    idf = np.log1p((n - frequencies + 0.5) / (frequencies + 0.5))
    saturated = counts * (K1 + 1) / (counts + K1 * (1 - B + B * lengths[rows] / lengths.mean()))
    starts = np.concatenate([[0], np.cumsum(frequencies)]).astype(np.int32)
    return Postings(terms, starts, rows.astype(np.int32), idf[numbers] * saturated, n)


def save_postings(postings: Postings, folder: Path, precision: type[np.floating[Any]]) -> None:
    (folder / "terms.txt").write_text("\n".join(postings.terms), encoding="utf-8")
    np.save(folder / "starts.npy", postings.starts)
    np.save(folder / "rows.npy", postings.rows)
    np.save(folder / "weights.npy", postings.weights.astype(precision))
    np.save(folder / "n_articles.npy", postings.n_articles)


def load_postings(folder: Path) -> Postings:
    terms = (folder / "terms.txt").read_text(encoding="utf-8").split("\n")
    # Plain arrays over the mapping: slices of numpy.memmap itself are slow to make.
    names = ("starts", "rows", "weights")
    starts, rows, weights = (np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r")) for name in names)
    return Postings(terms, starts, rows, weights, int(np.load(folder / "n_articles.npy")))


def best(scores: NDArray[Any]) -> list[int]:
    """Return the rows with the highest scores above 0, best first, ties by row."""
    rows = np.argpartition(-scores, DEPTH)[:DEPTH] if len(scores) > DEPTH else np.arange(len(scores))
    rows = rows[np.lexsort((rows, -scores[rows]))]
    found: list[int] = rows[scores[rows] > 0].tolist()
    return found


# What is measured, each in a process of its own.


@dataclass(frozen=True, slots=True)
class Answered:
    """What a process took to answer the timed questions: milliseconds of each, and MB (anon, file) that it added."""

    milliseconds: Sequence[float]
    imported: tuple[float, float]
    added: tuple[float, float]


def build(number: int, corpus: Path, index: Path) -> float:
    """Return the seconds that an engine needs for its index."""
    token_lists = read_corpus(corpus)
    index.mkdir()
    began = time.perf_counter()
    ENGINES[number]().build(token_lists, index)
    return time.perf_counter() - began


def rank(number: int, index: Path, asked: Path) -> list[list[int]]:
    """Return the ranking of each question."""
    engine = ENGINES[number]()
    engine.open(index)
    return [list(engine.query(terms)) for terms in json.loads(asked.read_text(encoding="utf-8"))]


def answer(number: int, index: Path, asked: Path) -> Answered:
    """Open an index and answer; the first questions are a warm-up."""
    asks = json.loads(asked.read_text(encoding="utf-8"))
    engine, taken = ENGINES[number](), []
    before = memory()
    if engine.library:
        importlib.import_module(engine.library)
    imported = memory()
    engine.open(index)
    for terms in asks:
        began = time.perf_counter()
        engine.query(terms)
        taken.append((time.perf_counter() - began) * 1000)
    after = memory()
    return Answered(taken[N_WARM_UP:], _more(before, imported), _more(imported, after))


def memory() -> tuple[float, float]:
    """Return the resident memory of this process in MB: its own, and pages of files."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    anon, file = (re.search(rf"^{name}:\s+(\d+) kB", status, re.MULTILINE) for name in ("RssAnon", "RssFile"))
    if anon is None or file is None:
        sys.exit("/proc/self/status has no RssAnon and RssFile; memory can be measured on Linux only")
    return int(anon[1]) / 1024, int(file[1]) / 1024


def _more(before: tuple[float, float], after: tuple[float, float]) -> tuple[float, float]:
    return after[0] - before[0], after[1] - before[1]


def in_own_process(function: Callable[..., Result], *arguments: object) -> Result:
    """Return what ``function`` returns in a new Python that has imported nothing but this file."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def import_seconds(library: str | None) -> float:
    """Return the median of five imports beside numpy, each in a new Python."""
    if library is None:
        return 0.0
    code = f"import numpy, time; began = time.perf_counter(); import {library}; print(time.perf_counter() - began)"
    return statistics.median(float(output_of([sys.executable, "-c", code])) for _ in range(5))


@dataclass(frozen=True, slots=True)
class Judged:
    """The judged set: its articles' ids in the order of rows, and the judgments."""

    ids: Sequence[str]
    qrels: Qrels

    def queries(self) -> list[int]:
        row_of = {article_id: row for row, article_id in enumerate(self.ids)}
        return [row_of[query] for query, grades in self.qrels.items() if any(grade > 0 for grade in grades.values())]

    def quality(self, rankings: Sequence[Sequence[int]]) -> str:
        """Return the mean with its interval; the article itself is taken out of its ranking."""
        pairs = zip(self.queries(), rankings, strict=True)
        run = {self.ids[query]: [self.ids[row] for row in rows if row != query] for query, rows in pairs}
        low, high = bootstrap_interval(list(MEASURE.per_query(run, self.qrels).values()))
        return f"{MEASURE.mean(run, self.qrels):.3f} [{low:.3f}, {high:.3f}]"


HEADER = (
    *("engine", "k1, b", "weights of terms", f"{MEASURE.name} [95 %]", "p50 ms", "p99 ms", "build s", "index MB"),
    *("added anon MB", "added file MB", "import s", "import anon + file MB", "filter", "scores of given articles"),
)


def table_row(number: int, folder: Path, judged: Judged) -> list[str]:
    """Measure one engine."""
    engine = ENGINES[number]()
    tell(f"{engine.name}: quality")
    small, large = folder / f"{number}-judged", folder / f"{number}-synthetic"
    in_own_process(build, number, folder / "judged.txt", small)
    quality = judged.quality(in_own_process(rank, number, small, folder / "judged.json"))
    tell(f"{engine.name}: {quality}; now the synthetic articles")
    seconds = in_own_process(build, number, folder / "synthetic.txt", large)
    answered = in_own_process(answer, number, large, folder / "synthetic.json")
    p50, p99 = np.percentile(answered.milliseconds, [50, 99])
    size = sum(file.stat().st_size for file in large.rglob("*") if file.is_file()) / 2**20
    tell(f"{engine.name}: built in {seconds:.1f} s, {p50:.2f} ms a question")
    measured = (
        f"{p50:.2f}",
        f"{p99:.2f}",
        f"{seconds:.1f}",
        f"{size:.0f}",
        *(f"{more:.1f}" for more in answered.added),
    )
    imported = (f"{import_seconds(engine.library):.2f}", " + ".join(f"{more:.1f}" for more in answered.imported))
    return [
        *(engine.name, engine.parameters, engine.weights, quality),
        *measured,
        *imported,
        *(engine.filters, engine.exact),
    ]


def prepare(data_set: DataSet, folder: Path, n: int, seed: int) -> tuple[Judged, str]:
    """Write both corpora and their questions; return the judged set and a sentence on each."""
    tell(f"tokens of {data_set.name}, {n:,} synthetic articles")
    assert data_set.qrels is not None
    articles = articles_of(data_set.source)
    judged = Judged(
        [article.id for article in articles],
        read_qrels(data_set.qrels.read_text(encoding="utf-8").splitlines(), str(data_set.qrels)),
    )
    real = stems_of(articles)
    sampled = np.random.default_rng(seed).choice(n, N_WARM_UP + N_QUERIES, replace=False)
    sizes = [
        write(folder, "judged", real, judged.queries()),
        write(folder, "synthetic", synthetic(real, n, seed), sampled.tolist()),
    ]
    return judged, "\n".join(sizes)


def write(folder: Path, name: str, articles: Sequence[Stems], queries: Sequence[int]) -> str:
    """Write a corpus and its questions; return a line that describes them."""
    frequencies = frequencies_of(articles)
    asked = questions(articles, frequencies, queries)
    write_corpus(folder / f"{name}.txt", articles)
    (folder / f"{name}.json").write_text(json.dumps(asked), encoding="utf-8")
    n_words = statistics.fmean(len(article.all()) for article in articles)
    touched = statistics.fmean(sum(frequencies[term] for term in terms) for terms in asked)
    return (
        f"* {name}: {len(articles):,} articles of {n_words:.0f} words, {len(frequencies):,} terms, "
        f"{frequencies.total():,} postings; a question meets {touched:,.0f} of them"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the data sets (default: %(default)s)")
    parser.add_argument("--articles", type=int, default=100_000, help="synthetic articles (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the chance (default: %(default)s)")
    given = parser.parse_args()
    data_set = next(one for one in data_sets(given.data) if one.name == "digitalgov")
    reason = data_set.missing()
    if reason:
        parser.error(f"digitalgov: {reason}; name the folder of the data sets with --data")
    if given.articles < N_WARM_UP + N_QUERIES:
        parser.error(f"--articles: at least {N_WARM_UP + N_QUERIES}, since that many are asked about")
    # One thread in every library of the processes that follow.
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))
    with folder_of(None) as folder:
        judged, sizes = prepare(data_set, folder, given.articles, given.seed)
        print(sizes, end="\n\n", flush=True)
        print(markdown(HEADER, [table_row(number, folder, judged) for number in range(len(ENGINES))]))


if __name__ == "__main__":
    main()
