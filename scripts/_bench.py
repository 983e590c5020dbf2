"""What the measuring scripts share: the data sets, the product's own commands run as subprocesses, Markdown tables."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from recommender import readers
from recommender.article import Article
from recommender.ingest import with_language
from recommender.recommend import Recommender
from recommender.settings import Settings, load_settings

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT.parent / "shared" / "data"
SEEDS = ROOT / "seeds"


@dataclass(frozen=True, slots=True)
class DataSet:
    """A corpus and, where there are any, its judgments.

    Attributes:
        name: as printed.
        source: the file or folder that is ingested.
        qrels: its TREC qrels file, None where nobody has judged it.
    """

    name: str
    source: Path
    qrels: Path | None

    def missing(self) -> str | None:
        """Return why the set cannot be measured, None when it can."""
        if not self.source.exists():
            return f"{self.source.name} is not there"
        if self.qrels is None:
            return "it has no judgments"
        return None if self.qrels.exists() else f"{self.qrels.name} is not there"


def data_sets(data: Path) -> list[DataSet]:
    """Return every set that these scripts know, whether or not it is on this machine."""
    return [
        DataSet("digitalgov", data / "digitalgov" / "articles.jsonl", data / "digitalgov" / "qrels.tsv"),
        DataSet("meantime", data / "meantime" / "articles.jsonl", data / "meantime" / "qrels_translations.tsv"),
        DataSet("wikinews", data / "wikinews" / "articles.jsonl", None),
        DataSet("seeds", SEEDS, SEEDS / "qrels.tsv"),
    ]


def articles_of(source: Path) -> list[Article]:
    """Return the articles of a file or folder as the product reads them, in ascending order of id."""
    entries = (entry for path in readers.find(source).paths for entry in readers.read(path))
    found = {entry.article.id: with_language(entry.article) for entry in entries if entry.article}
    return [found[article_id] for article_id in sorted(found)]


def recommender(home: Path, *arguments: str) -> list[str]:
    """Return the command that runs the product on ``home`` with this very Python."""
    return [sys.executable, "-m", "recommender", "--home", str(home.resolve()), *arguments]


def output_of(command: Sequence[str]) -> str:
    """Run a command to its end and return what it wrote to stdout; leave with its stderr when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit code {done.returncode}\n{done.stderr}")
    return done.stdout


def opened(data_set: DataSet, homes: Path) -> tuple[Recommender, Settings]:
    """Return a recommender over a set, brought up to date by the product's own commands, and the settings of its home."""
    home = homes / data_set.name
    tell(f"{data_set.name}: ingest and rebuild (minutes the first time)")
    output_of(recommender(home, "ingest", str(data_set.source)))
    output_of(recommender(home, "rebuild"))
    settings = load_settings(None, {"home": home})
    return Recommender.open(settings), settings


@contextlib.contextmanager
def folder_of(kept: Path | None) -> Iterator[Path]:
    """Yield a folder for homes: ``kept`` (made when it is missing), or one that is removed afterwards."""
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept
        return
    with tempfile.TemporaryDirectory(prefix="recommender-bench-") as made:
        yield Path(made)


def tell(message: str) -> None:
    """Say something to the person, on stderr."""
    print(message, file=sys.stderr, flush=True)


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table; every column but the first is set to the right."""
    lines = ["| " + " | ".join(cells) + " |" for cells in (header, *rows)]
    lines.insert(1, "| --- |" + " ---: |" * (len(header) - 1))
    return "\n".join(lines)
