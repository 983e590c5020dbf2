"""A large archive made of a small one and published without an encoder: to be timed, not to be judged."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import numpy as np
from numpy.typing import NDArray

from recommender import snapshot
from recommender.article import Article
from recommender.cli.output import Bars
from recommender.copies import CopyFinder
from recommender.home import Home
from recommender.lexical import LexicalBuilder
from recommender.recommend import find_neighbours, finish_lists
from recommender.settings import load_settings
from recommender.snapshot import Contents, Facts, Row, Snapshot
from recommender.vectors import Centres, Matrix, Vector, normalise

FIRST_DAY, LAST_DAY = datetime(2015, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)
LANGUAGES = {"en": 0.8, "de": 0.15, None: 0.05}
KINDS = {"news": 0.9, "opinion": 0.05, "wire": 0.05}
SECTIONS = tuple(f"section-{number}" for number in range(8))
N_WORDS, OWN_SHARE = 400, 0.6
LIKENESS = 0.6
_SENTENCE = re.compile(r"\n|(?<=[.!?])\s+")


def publish_synthetic(home: Home, real: Snapshot, articles: Sequence[Article], n: int, *, seed: int) -> None:
    """Publish an archive of ``n`` articles into an empty home.

    Each is made of one real article: its headline and terms, about 400 words, of which 60 % are sentences of its own and the
    others of any article, and a unit vector with a cosine of about .6 to the real one's. Dates lie over ten years; languages,
    kinds and sections are drawn by chance. One to three links go to articles made of the same one, or to any, older ones
    rather.

    Args:
        home: where; it has no articles, so nothing can be rebuilt from it.
        real: the real articles' snapshot; vectors and terms are taken from it.
        articles: the real articles, each of them in ``real``.
        n: at least 1.
        seed: of the chance.
    """
    chance = np.random.default_rng(seed)
    sentences = [[part for part in _SENTENCE.split(f"{each.description}\n{each.text}") if part] for each in articles]
    long_enough = [at for at, own in enumerate(sentences) if _n_words(own) >= N_WORDS * OWN_SHARE]
    mains = chance.choice(long_enough, n)
    numbers = [real.dense.require_row(articles[at].id) for at in mains]
    lexical = LexicalBuilder()
    rows: list[Row] = []
    for row in _rows([real.row(number) for number in numbers], chance):
        lexical.add(row.title, _body(sentences, int(mains[len(rows)]), chance), row.language)
        rows.append(row)
    alone = CopyFinder()
    for row in rows:
        alone.add(Article(row.id, row.title))
    facts = Facts([()] * n, [()] * n, [N_WORDS] * n, alone.signatures(), np.zeros((0, 2), np.int64))
    vectors = np.stack([_near(real.dense.vector(number), chance) for number in numbers])
    nothing: Matrix = np.zeros((0, real.dense.dim), np.float32)
    none = Centres((), nothing)
    described = {
        "encoder": real.manifest["encoder"],
        "counts": {"articles": n, "stubs": 0, "links": {}},
        "change": 0,
        "fit": {"at": LAST_DAY.isoformat(), "articles": n, "change": 0},
    }
    contents = Contents(rows, vectors, _links(mains, chance), facts, lexical, none, none, real.fit.terms)
    home.path.mkdir(parents=True, exist_ok=True)
    settings = load_settings(None, {"home": home.path, "encoder.model": "none"})
    bars = Bars()
    with home.writer("a benchmark"):
        snapshot.publish(
            home,
            contents,
            described,
            now=LAST_DAY,
            neighbours=partial(find_neighbours, settings=settings, watch=bars),
            lists=partial(finish_lists, settings=settings, watch=bars),
        )
    bars.close()


def _n_words(sentences: Sequence[str]) -> int:
    return sum(len(sentence.split()) for sentence in sentences)


def _rows(mains: Sequence[Row], chance: np.random.Generator) -> Iterator[Row]:
    """Yield a row made of each real one, in the order of ids."""
    n = len(mains)
    days = chance.uniform(0, (LAST_DAY - FIRST_DAY).days, n)
    languages = chance.choice(np.array(list(LANGUAGES), object), n, p=list(LANGUAGES.values()))
    kinds = chance.choice(list(KINDS), n, p=list(KINDS.values()))
    sections = chance.choice(SECTIONS, n)
    for at, main in enumerate(mains):
        yield replace(
            main,
            id=f"synthetic-{at:08d}",
            url=None,
            published_at=(FIRST_DAY + timedelta(days=float(days[at]))).isoformat(timespec="seconds"),
            section=str(sections[at]),
            language=languages[at],
            kind=str(kinds[at]),
        )


def _body(sentences: Sequence[Sequence[str]], main: int, chance: np.random.Generator) -> str:
    """Return sentences of one article in any order, then of others."""
    own = [sentences[main][at] for at in chance.permutation(len(sentences[main])).tolist()]
    chosen = list(_until(round(N_WORDS * OWN_SHARE), own))
    others = (sentences[at] for at in chance.integers(len(sentences), size=N_WORDS).tolist())
    drawn = (other[int(chance.integers(len(other)))] for other in others if other)
    return "\n".join([*chosen, *_until(N_WORDS - _n_words(chosen), drawn)])


def _until(n_words: int, sentences: Iterable[str]) -> Iterator[str]:
    """Yield the first sentences that have ``n_words`` words together."""
    for sentence in sentences:
        if n_words <= 0:
            return
        n_words -= len(sentence.split())
        yield sentence


def _near(vector: Vector, chance: np.random.Generator) -> Vector:
    noise = normalise(chance.standard_normal(len(vector), np.float32))
    return normalise(LIKENESS * vector + np.sqrt(1 - LIKENESS**2) * noise)


def _links(mains: NDArray[np.int64], chance: np.random.Generator) -> NDArray[np.int32]:
    """Return links as (row of the linking article, row of the target), shape (m, 2)."""
    alike: defaultdict[int, list[int]] = defaultdict(list)
    for row, main in enumerate(mains):
        alike[int(main)].append(row)
    edges: dict[tuple[int, int], None] = {}
    for row, main in enumerate(mains):
        for _ in range(chance.integers(1, 4)):
            like = alike[int(main)]
            target = int(chance.choice(like)) if chance.random() < 0.5 else int(len(mains) * chance.random() ** 3)
            if target != row:
                edges[row, target] = None
    return np.array(list(edges), np.int32).reshape(-1, 2)
