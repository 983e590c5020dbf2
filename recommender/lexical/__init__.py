"""The lexical index: tf-idf of single terms and pairs of neighbours, matched by cosine; plain NumPy arrays, mapped from disk.

An article is asked with its 300 strongest terms and pairs; the headline counts twice. Measured against BM25 engines and
against fewer and more terms in ARCHITECTURE.md ("The lexical index"). Terms are kept as 64-bit sums of their text, so that
there is no vocabulary to load; a pair must stand in two articles, and what stands in over half of a language's articles tells nothing.

Each language is a collection of its own: how rare a term is, is counted among the articles of its language. Else every "der"
of ten German stories in an English archive would be as telling as a name. A free text is asked of every language.

Every row has an exact score, also one that no list holds: a candidate that only the vectors found is scored, not given zero.

How telling a term is (:class:`LexicalFit`) is counted when an index is built, and may be kept for the next one: then a row's
weights follow from its own text alone, and an index over a few changed rows stands beside the large one
(:class:`LayeredIndex`) and gives every row the score that an index built anew would.
"""

from recommender.lexical.builder import SPOOL_PREFIX, LexicalBuilder
from recommender.lexical.fit import LexicalFit
from recommender.lexical.index import FILES, LexicalIndex
from recommender.lexical.layered import Document, LayeredIndex, index_of
from recommender.lexical.query import MAX_QUERY_TERMS, NOTHING_ASKED, TermQuery, blend

__all__ = [
    "FILES",
    "MAX_QUERY_TERMS",
    "NOTHING_ASKED",
    "SPOOL_PREFIX",
    "Document",
    "LayeredIndex",
    "LexicalBuilder",
    "LexicalFit",
    "LexicalIndex",
    "TermQuery",
    "blend",
    "index_of",
]
