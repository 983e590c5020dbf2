"""The gate before a publication: a snapshot that finds less than the live one, or turns lists over, is not published."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from recommender.answer import Options
from recommender.errors import GateError, InputError
from recommender.evaluate import Difference, difference
from recommender.measures import ndcg_at
from recommender.recommend import Recommender
from recommender.trial.served import evenly
from recommender.trial.truth import truth_from_links

_MAIN = ndcg_at(5)
_MAX_LISTS = 2_000
_MAX_TOLD = 10
_K = 5


@dataclass(frozen=True, slots=True)
class Change:
    """A story whose list is another one.

    Attributes:
        gone, come: titles that left the first five, and those that took their place.
    """

    id: str
    title: str
    gone: tuple[str, ...]
    come: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a new snapshot compares with the live one.

    Attributes:
        gain: nDCG@5 on the archive's own links, new against live; None where there are none to measure with.
        churn: mean share of the first five that other stories took, of stories that both snapshots know, 0 to 1.
        n_lists: lists compared.
        changes: the ten lists that changed the most.
        problems: why it should not be published; empty where nothing is wrong.
    """

    gain: Difference | None
    churn: float
    n_lists: int
    changes: tuple[Change, ...]
    problems: tuple[str, ...]

    def lines(self) -> list[str]:
        """Return the verdict as lines for a person."""
        told = [f"compared with the live index: {self.churn:.1%} of the first five changed in {self.n_lists:,} lists"]
        if self.gain is not None:
            interval = self.gain.difference
            told.append(
                f"nDCG@5 on the archive's own links: {interval.mean:+.4f} [{interval.low:+.4f}, {interval.high:+.4f}]"
            )
        for change in self.changes:
            told.append(f"  {change.title}  [{change.id}]")
            told += [f"    - {title}" for title in change.gone] + [f"    + {title}" for title in change.come]
        return told


class Gate:
    """Compares a new snapshot with the live one."""

    def __init__(self, live: Recommender, options: Options, *, max_churn: float) -> None:
        """Take what is live.

        Args:
            live: answers from the live snapshot.
            options: how lists are served.
            max_churn: most of the first five that may change on average, 0 to 1.
        """
        self._live = live
        self._options = replace(options, explain=False)
        self._max_churn = max_churn

    def compare(self, new: Recommender) -> Verdict:
        """Return the verdict on a new snapshot.

        Stories that only one of the two knows are not held against it: a list in which a new story stands has not changed
        otherwise. Of a large archive, 2,000 lists are compared, evenly spread over the ids.
        """
        gain = self._gain(new)
        churn, n_lists, changes = self._churn(new)
        problems = []
        if gain is not None and gain.difference.high < 0:
            problems.append(
                f"it finds fewer of the editors' links than the live one, beyond noise ({gain.difference.mean:+.4f} nDCG@5)"
            )
        if churn > self._max_churn:
            problems.append(f"it changes {churn:.1%} of the first five, at most {self._max_churn:.1%} are allowed")
        return Verdict(gain, churn, n_lists, changes, tuple(problems))

    def check(self, new: Recommender) -> Verdict:
        """Return the verdict, or raise GateError where the snapshot should not be published."""
        verdict = self.compare(new)
        if verdict.problems:
            raise GateError(
                f"the new index was not published: {'; '.join(verdict.problems)}. Publish it with --force",
                verdict.lines(),
            )
        return verdict

    def _gain(self, new: Recommender) -> Difference | None:
        try:
            qrels = truth_from_links(new.snapshot).qrels
        except InputError:
            return None
        known = self._live.snapshot.dense.row_of
        queries = {query: grades for query, grades in qrels.items() if known(query) is not None}
        if not queries:
            return None
        options = replace(self._options, blind=True, k=_K)
        runs = [
            {query: [hit.article_id for hit in each.related_hits(query, options)] for query in queries}
            for each in (new, self._live)
        ]
        return difference("live", *(_MAIN.per_query(run, queries) for run in runs))

    def _churn(self, new: Recommender) -> tuple[float, int, tuple[Change, ...]]:
        live_rows, new_rows = self._live.snapshot.dense.row_of, new.snapshot.dense.row_of
        stub = new.snapshot.columns.stub
        both = [
            article_id
            for row, article_id in enumerate(new.snapshot.dense.ids)
            if not stub[row] and live_rows(article_id) is not None
        ]
        asked = evenly(both, _MAX_LISTS)
        turned: list[tuple[float, Change]] = []
        for article_id in asked:
            before = _known(self._live, article_id, self._options, new_rows)
            after = _known(new, article_id, self._options, live_rows)
            gone = [each for each in before if each not in after]
            if gone:
                come = [each for each in after if each not in before]
                turned.append((len(gone) / len(before), self._change(new, article_id, gone, come)))
        churn = sum(share for share, _ in turned) / len(asked) if asked else 0.0
        worst = sorted(turned, key=lambda each: (-each[0], each[1].id))[:_MAX_TOLD]
        return churn, len(asked), tuple(change for _, change in worst)

    def _change(self, new: Recommender, article_id: str, gone: Sequence[str], come: Sequence[str]) -> Change:
        def title(recommender: Recommender, each: str) -> str:
            return recommender.snapshot.row(recommender.snapshot.dense.require_row(each)).title

        return Change(
            article_id,
            title(new, article_id),
            tuple(title(self._live, each) for each in gone),
            tuple(title(new, each) for each in come),
        )


def _known(
    recommender: Recommender, article_id: str, options: Options, other_rows: Callable[[str], int | None]
) -> list[str]:
    """Return the first five of a list that the other snapshot knows, too."""
    k = 4 * _K
    while True:
        hits = recommender.related_hits(article_id, replace(options, k=k))
        known = [hit.article_id for hit in hits if other_rows(hit.article_id) is not None]
        if len(known) >= _K or len(hits) < k:
            return known[:_K]
        k *= 4  # on a busy day new stories fill a list
