"""How an article becomes one vector: several views of it, each embedded and cached alone, then weighted and summed.

One truncated text is what everybody embeds, and it throws away most of a long story and drowns its headline. The
default recipe is 0.2 × title + 0.15 × standfirst + 0.65 × mean of the body's 120-word chunks. ARCHITECTURE.md ("The
article vector") has the measurement.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice

from recommender.article import Article
from recommender.text import chunks, digest
from recommender.vectors import Matrix, Vector, combine, mean_vector


@dataclass(frozen=True, slots=True)
class View:
    """One view of an article.

    Attributes:
        weight: its share in the article's vector, greater than 0.
        digest: 16 bytes that change whenever ``texts`` do; the key of the cached embedding.
        texts: what the encoder sees; the view's vector is their mean.
    """

    weight: float
    digest: bytes
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Recipe:
    """Which views are made, and what each weighs. A view without text is left out, the others keep their weights.

    Attributes:
        title_weight, description_weight, body_weight: shares of headline, standfirst and text.
        chunk_words: words in one piece of the body; about 1.3 tokens each in English must fit the encoder's window.
        max_chunks: the body beyond ``max_chunks × chunk_words`` words (7,680 by default) is not embedded; it bounds
            what one article can cost.
    """

    title_weight: float = 0.2
    description_weight: float = 0.15
    body_weight: float = 0.65
    chunk_words: int = 120
    max_chunks: int = 64

    def as_dict(self) -> dict[str, float | int]:
        """Return the recipe for a manifest."""
        return asdict(self)

    def views(self, article: Article) -> tuple[View, ...]:
        """Return the views of ``article``; at least one, since every article has a title."""
        pieces = tuple(islice(chunks(article.text, self.chunk_words), self.max_chunks))
        parts = (
            (self.title_weight, (article.title,)),
            (self.description_weight, (article.description,) if article.description else ()),
            (self.body_weight, pieces),
        )
        made = tuple(View(weight, digest(*texts), texts) for weight, texts in parts if texts and weight > 0)
        return made or (View(1.0, digest(article.title), (article.title,)),)


def article_vector(views: Sequence[View], vectors: Mapping[bytes, Vector]) -> Vector:
    """Return the unit vector of an article from its views' vectors (by digest); shape (dim,)."""
    return combine([(view.weight, vectors[view.digest]) for view in views])


def headline_only(article: Article, views: Sequence[View]) -> bool:
    """Tell whether the vector is that of the headline alone, as a stub's is; such vectors have a centre of their own."""
    return len(views) == 1 and views[0].texts == (article.title,)


def encode_views(views: Sequence[View], encode: Callable[[Sequence[str]], Matrix]) -> dict[bytes, Vector]:
    """Return the vector of each view by digest, all texts encoded in one call."""
    texts = [text for view in views for text in view.texts]
    rows = encode(texts)
    vectors: dict[bytes, Vector] = {}
    start = 0
    for view in views:
        vectors[view.digest] = mean_vector(rows[start : start + len(view.texts)])
        start += len(view.texts)
    return vectors
