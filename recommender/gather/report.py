"""What one run of gathering did."""

from __future__ import annotations

from dataclasses import dataclass, field

from recommender.ingest import IngestReport


@dataclass(slots=True)
class GatherReport(IngestReport):
    """An ingest's report, and what happened on the web.

    Attributes:
        n_fetched: pages that were asked for.
        n_same: of these, those that the site said have not changed.
        n_waiting: pages that are left for another run, since their site did not answer, or a limit was reached.
        n_gone: pages that the site says are gone for the first time; they are withdrawn when it says so again.
        notes: what a person should know of a source that is no refusal.
    """

    n_fetched: int = 0
    n_same: int = 0
    n_waiting: int = 0
    n_gone: int = 0
    notes: list[str] = field(default_factory=list)

    def add(self, other: IngestReport) -> None:
        """Take in what an ingest of files did."""
        self.outcomes.update(other.outcomes)
        self.refused.extend(other.refused[: max(self.MAX_LISTED - len(self.refused), 0)])
        self.n_refused += other.n_refused
        self.n_files += other.n_files
        self.n_skipped += other.n_skipped
        self.withdrawn.extend(other.withdrawn)
        self.left_out.update(other.left_out)
