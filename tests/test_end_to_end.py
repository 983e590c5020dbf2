"""The whole way with the real model: sample corpus, rebuild, shell, HTTP. Slow: minutes on a small machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from recommender.measures import ndcg_at, read_qrels, read_run
from recommender.settings import load_settings
from recommender.web import create_app

pytestmark = [
    pytest.mark.model,
    pytest.mark.filterwarnings("default"),  # torch's exporter warns of its own future
]

SEEDS = Path(__file__).parent.parent / "seeds"
STORY = "2025-12-14-nato-bid-berlin-talks"


def run(home: Path, *arguments: str, options: tuple[str, ...] = (), **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own, as a person would."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RECOMMENDER_")} | more
    command = [sys.executable, *options, "-m", "recommender", "--home", str(home), *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample corpus, embedded by the real model."""
    home = tmp_path_factory.mktemp("real") / "index"
    for arguments in (("ingest", str(SEEDS)), ("rebuild",)):
        finished = run(home, *arguments)
        assert finished.returncode == 0, finished.stderr
    return home


def imported(finished: subprocess.CompletedProcess[str]) -> set[str]:
    """Return the top-level packages that ``python -X importtime`` saw."""
    lines = [line for line in finished.stderr.splitlines() if line.startswith("import time:")]
    return {line.rsplit("|", 1)[1].strip().partition(".")[0] for line in lines}


def test_free_text_is_answered_without_importing_torch(home: Path) -> None:
    finished = run(home, "search", "hackers in a hospital", "--json", options=("-X", "importtime"))
    assert finished.returncode == 0
    assert "onnxruntime" in imported(finished)
    assert imported(finished).isdisjoint({"torch", "transformers", "sentence_transformers"})
    titles = [result["title"] for result in json.loads(finished.stdout)["results"]]
    assert any("Medica" in title or "hospital" in title.lower() for title in titles[:3])


def test_a_known_article_is_answered_without_any_model(home: Path) -> None:
    finished = run(home, "related", STORY, "--json", options=("-X", "importtime"), RECOMMENDER_ENCODER__MODEL="none")
    assert finished.returncode == 0
    assert imported(finished).isdisjoint(
        {
            "torch",
            "transformers",
            "sentence_transformers",
            "onnxruntime",
            "tokenizers",
            "bm25s",
            "scipy",
            "feedparser",
            "lxml",
        }
    )


def test_a_second_rebuild_encodes_nothing(home: Path) -> None:
    finished = run(home, "rebuild", "--json")
    assert json.loads(finished.stdout)["n_texts_encoded"] == 0


def test_the_rebuild_names_the_languages_that_the_model_does_not_know(home: Path) -> None:
    assert "was not trained on every language of this archive" in run(home, "rebuild").stderr


def test_the_manifest_states_encoder_and_recipe(home: Path) -> None:
    status = json.loads(run(home, "status", "--json").stdout)
    encoder = status["snapshot"]["encoder"]
    assert encoder["name"] == "all-MiniLM-L6-v2@53aa51172d14"
    assert encoder["recipe"]["chunk_words"] == 120


def test_verify_finds_nothing_wrong(home: Path) -> None:
    assert run(home, "verify").returncode == 0


@pytest.mark.parametrize(
    ("ranker", "least"),
    [("full", 0.82), ("dense", 0.80), ("lexical", 0.82)],  # floors, not goals: .857, .842 and .862 when they were set
)
def test_the_pure_ranking_keeps_its_quality_on_the_judged_stories(home: Path, ranker: str, least: float) -> None:
    finished = run(home, "related", "--all", "--raw", "--ranker", ranker, "--format", "trec", "-k", "50")
    qrels = read_qrels((SEEDS / "qrels.tsv").read_text(encoding="utf-8").splitlines())
    assert ndcg_at(5).mean(read_run(finished.stdout.splitlines()), qrels) >= least


def test_the_real_encoder_has_a_calibration_and_the_floor_keeps_strangers_out(home: Path) -> None:
    def listed(*arguments: str) -> dict[str, float]:
        finished = run(home, "related", STORY, "-k", "50", "--json", "--explain", *arguments)
        return {result["id"]: result["probability"] for result in json.loads(finished.stdout)["results"]}

    whole, cut = listed("--floor", "0"), listed()
    assert set(cut) < set(whole)
    assert all(whole[article_id] < 0.007 for article_id in set(whole) - set(cut))
    assert all(0 < probability < 1 for probability in whole.values())
    assert max(whole.values()) > 0.1


def test_an_unseen_article_and_a_free_text_are_answered_over_http(home: Path) -> None:
    client = create_app(load_settings(None, {"home": home})).test_client()
    body = {
        "title": "Second hospital group hit by ransomware",
        "text": "Surgeries were cancelled. Patient data may be on sale.",
    }
    answer = client.post("/v1/related", json=body).get_json()
    assert "hospital" in answer["results"][0]["title"].lower() or "Medica" in answer["results"][0]["title"]
    assert (
        client.get("/v1/search", query_string={"q": "football cup final"}).get_json()["results"][0]["section"]
        == "sport"
    )


def test_an_encoder_export_with_a_changed_byte_is_refused(home: Path) -> None:
    (export,) = (home / "encoders").iterdir()
    model = export / "model.onnx"
    original = model.read_bytes()
    try:
        model.write_bytes(original[:-1] + bytes([original[-1] ^ 1]))
        finished = run(home, "search", "anything")
        assert finished.returncode == 1
        assert "is not the file that was exported (its sha256 differs)" in finished.stderr
    finally:
        model.write_bytes(original)
