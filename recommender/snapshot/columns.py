"""What rules look at, made from rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recommender.rank import Columns, encode_lists, encode_names
from recommender.snapshot.contents import Row


def columns_of(
    rows: Sequence[Row],
    published_at: NDArray[np.int64],
    n_words: Sequence[int],
    tags: Sequence[Sequence[str]],
    authors: Sequence[Sequence[str]],
    copies: NDArray[np.int32],
) -> Columns:
    """Return the columns of rows; all arguments have one entry a row."""
    tag_pairs, tag_names = encode_lists(tags)
    author_pairs, author_names = encode_lists(authors)
    language, languages = encode_names([row.language for row in rows])
    section, sections = encode_names([row.section for row in rows])
    kind, kinds = encode_names([row.kind for row in rows])
    return Columns(
        published_at=published_at,
        language=language,
        section=section,
        kind=kind,
        stub=np.array([row.stub for row in rows], np.bool_),
        n_words=np.array(n_words, np.int32),
        copies=copies,
        tags=tag_pairs,
        authors=author_pairs,
        languages=languages,
        sections=sections,
        kinds=kinds,
        tag_names=tag_names,
        author_names=author_names,
    )
