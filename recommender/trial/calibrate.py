"""The floor's probability: fitted on pairs of a question and an older article, for each language that has links enough."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from recommender import rank
from recommender.answer import Options
from recommender.article import Article
from recommender.evaluate import Bin, reliability
from recommender.fusion import ANY_LANGUAGE, TEXT, Calibration, Model, Values
from recommender.measures import Qrels
from recommender.rank import Mask
from recommender.recommend import Recommender
from recommender.recommend.evidence import Inquiry
from recommender.text import base_language
from recommender.trial.learn import fit_calibration
from recommender.trial.run import Watch
from recommender.vectors import UNDATED

MIN_LINKED = 100
"""Links that a language needs for a calibration of its own. Of n links the level of a probability is known to within
1/√n, a tenth at a hundred; with fewer, what all languages say together is nearer than what the one says alone.
Collins, Ogundimu and Altman (Statistics in Medicine 35, 2016) ask for as many events to check a calibration."""
MAX_PAIRS = 2_000_000


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of a question and an article that was there before it, one entry each, shape (n,).

    Attributes:
        dense, lexical: cosines of vectors and of terms.
        linked: 1.0 where the editor linked the two.
        weight: how many pairs each stands for: every linked one is here, of the others in a large archive a sample.
    """

    dense: Values
    lexical: Values
    linked: Values
    weight: Values

    @classmethod
    def join(cls, pieces: Iterable[Pairs]) -> Pairs:
        """Return several as one."""
        pieces = list(pieces)
        nothing = np.zeros(0)
        columns = ([getattr(piece, name) for piece in pieces] for name in cls.__slots__)
        return cls(*(np.concatenate([nothing, *column]) for column in columns))

    @property
    def n_linked(self) -> int:
        """How many of the pairs an editor linked."""
        return int(self.linked.sum())

    def fit(self) -> Calibration:
        """Return the calibration of these pairs, some of which are linked and some are not."""
        return fit_calibration(self.dense, self.lexical, self.linked, self.weight)

    def held_to(self, calibration: Calibration) -> tuple[Bin, ...]:
        """Return what a calibration says of these pairs against what is so."""
        return reliability(calibration.probability(self.dense, self.lexical), self.linked, self.weight)


def article_pairs(
    recommender: Recommender,
    qrels: Qrels,
    options: Options,
    *,
    max_pairs: int = MAX_PAIRS,
    watch: Watch = lambda stage, done, total, unit: None,
) -> dict[str, Pairs]:
    """Return the pairs of every judged article that has a date, by its language (empty where that is not known)."""
    snapshot = recommender.snapshot
    pieces: defaultdict[str, list[Pairs]] = defaultdict(list)
    step = _step(len(qrels), len(snapshot), max_pairs)
    for done, query in enumerate(qrels, start=1):
        if (asked := _Asked.of(recommender, qrels, query)) is not None:
            inquiry = recommender.learning(query, options)
            language = snapshot.row(asked.row).language
            pieces[base_language(language)].append(asked.pairs(inquiry, step, done))
        watch("calibrating", done, len(qrels), "questions")
    return {language: Pairs.join(found) for language, found in sorted(pieces.items())}


def text_pairs(
    recommender: Recommender,
    qrels: Qrels,
    articles: Callable[[], Iterator[Article]],
    options: Options,
    *,
    max_pairs: int = MAX_PAIRS,
    watch: Watch = lambda stage, done, total, unit: None,
) -> Pairs:
    """Return the pairs of free texts: the title, then the standfirst, of every judged article that has a date.

    Raises:
        EncoderError: texts cannot be encoded here.
    """
    pieces: list[Pairs] = []
    step = _step(2 * len(qrels), len(recommender.snapshot), max_pairs)
    done = 0
    for article in articles():
        if article.id not in qrels:
            continue
        done += 1
        if (asked := _Asked.of(recommender, qrels, article.id)) is not None:
            texts = [text for text in (article.title, article.description) if text]
            inquiries = recommender.learning_texts(texts, replace(options, feedback=False))
            pieces += [asked.pairs(inquiry, step, done) for inquiry in inquiries]
        watch("calibrating free texts", done, len(qrels), "questions")
    return Pairs.join(pieces)


def fitted(by_language: Mapping[str, Pairs]) -> dict[str, Calibration]:
    """Return a calibration for every language with links enough, and for all others one of all together; none without links."""
    together = Pairs.join(by_language.values())
    found = {ANY_LANGUAGE: together} | {
        language: pairs
        for language, pairs in by_language.items()
        if pairs.n_linked >= MIN_LINKED and language not in ("", ANY_LANGUAGE, TEXT)
    }
    return {name: pairs.fit() for name, pairs in found.items() if 0 < pairs.n_linked < len(pairs.linked)}


def reliabilities(
    model: Model, encoder: str, by_language: Mapping[str, Pairs], texts: Pairs | None = None
) -> dict[str, tuple[Bin, ...]]:
    """Return said against found: of all articles together (``*``), of free texts (``text``) and, where there are several
    languages, of each with a calibration of its own.

    Empty for an encoder without a calibration.
    """
    own = model.calibrations.get(encoder, {})
    told: dict[str, tuple[Bin, ...]] = {}
    said = {language: model.calibration(encoder, language) for language in by_language}
    known = {language: calibration for language, calibration in said.items() if calibration is not None}
    if known:
        pairs = Pairs.join(by_language[language] for language in known)
        each = [one.probability(by_language[name].dense, by_language[name].lexical) for name, one in known.items()]
        told[ANY_LANGUAGE] = reliability(np.concatenate(each), pairs.linked, pairs.weight)
    if len(by_language) > 1:
        told |= {name: by_language[name].held_to(one) for name, one in known.items() if name in own}
    if texts is not None and len(texts.linked) and (calibration := model.calibration(encoder, TEXT)) is not None:
        told[TEXT] = texts.held_to(calibration)
    return told


def held(
    recommender: Recommender,
    qrels: Qrels,
    options: Options,
    *,
    watch: Watch = lambda stage, done, total, unit: None,
) -> dict[str, tuple[Bin, ...]]:
    """Return said against found for the calibration in use, on judged articles; nothing where none is for this encoder."""
    encoder = str(recommender.snapshot.manifest["encoder"]["name"])
    if not recommender.model.calibrations.get(encoder):
        return {}
    return reliabilities(recommender.model, encoder, article_pairs(recommender, qrels, options, watch=watch))


@dataclass(frozen=True, slots=True)
class _Asked:
    """A judged article with a date: its row, the articles that were there before it, and those that its editor linked."""

    row: int
    before: Mask
    linked: Mask

    @classmethod
    def of(cls, recommender: Recommender, qrels: Qrels, query: str) -> _Asked | None:
        """Return None for what the archive does not hold, or holds without a date."""
        snapshot, columns = recommender.snapshot, recommender.snapshot.columns
        row = snapshot.dense.row_of(query)
        if row is None or columns.published_at[row] == UNDATED:
            return None
        before = rank.not_younger(columns, int(columns.published_at[row])) & ~columns.stub
        before[row] = False
        targets = (snapshot.dense.row_of(target) for target, grade in qrels[query].items() if grade > 0)
        linked = np.zeros(len(before), np.bool_)
        linked[[target for target in targets if target is not None]] = True
        return cls(row, before, linked)

    def pairs(self, inquiry: Inquiry, step: int, number: int) -> Pairs:
        """Return every linked pair, and of the others every ``step``-th, beginning elsewhere for every question."""
        dense, lexical = inquiry.cosines()
        sampled = np.zeros(len(self.before), np.bool_)
        sampled[number % step :: step] = True
        taken = self.before & (self.linked | sampled)
        linked = self.linked[taken].astype(np.float64)
        return Pairs(dense[taken], lexical[taken], linked, np.where(linked > 0, 1.0, float(step)))


def _step(n_questions: int, n_articles: int, max_pairs: int) -> int:
    return max(1, -(-n_questions * n_articles // max_pairs))
