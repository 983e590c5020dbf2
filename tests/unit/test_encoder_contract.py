"""What ``test_encoder.py`` leaves open about the model's two runtimes: windows, prompts, threads, and an export that fails."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from recommender.disk import sha256
from recommender.encoder import Encoder, OnnxEncoder, SentenceEncoder, locate, sentence
from recommender.errors import EncoderError
from recommender.vectors import Matrix, normalise

PROMPT = "query: "
WORDS = ["ferry", "harbour", "crew", "night", "strike", "council", "bridge", "school", "bus", "winter"]


@pytest.fixture(scope="module")
def sentence_encoder() -> SentenceEncoder:
    return SentenceEncoder(locate("all-MiniLM-L6-v2"), prompt=PROMPT, threads=2)


@pytest.fixture(scope="module")
def export(sentence_encoder: SentenceEncoder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("encoders") / "prompted"
    sentence_encoder.export(folder)
    return folder


def _texts(n: int) -> list[str]:
    """Return texts of 1 to 300 words in no order of length, none like another."""
    random = np.random.default_rng(0)
    return [f"{number} " + " ".join(random.choice(WORDS, random.integers(1, 300))) for number in range(n)]


def test_many_texts_of_mixed_length_have_the_vectors_that_they_have_alone(encoder: Encoder) -> None:
    texts = _texts(60)

    together = encoder.encode(texts)

    for number in (0, 17, 33, 59):
        assert together[number] == pytest.approx(encoder.encode([texts[number]])[0], abs=1e-5)
    assert np.linalg.norm(together, axis=1) == pytest.approx(np.ones(60), abs=1e-5)


def test_what_an_encoder_returned_is_not_changed_by_the_next_call(encoder: Encoder) -> None:
    vectors = encoder.encode(["ferry strike"])
    before = vectors.copy()

    encoder.encode(["council bridge"])

    assert np.array_equal(vectors, before)


def test_a_tuple_of_texts_is_as_good_as_a_list(encoder: Encoder) -> None:
    assert encoder.encode(("ferry strike", "harbour")) == pytest.approx(
        encoder.encode(["ferry strike", "harbour"]), abs=1e-6
    )


@pytest.mark.model
@pytest.mark.parametrize("runtime", ["sentence_encoder", "export"])
def test_words_beyond_the_window_change_nothing_and_words_within_do(
    request: pytest.FixtureRequest, runtime: str
) -> None:
    value = request.getfixturevalue(runtime)
    encoder = value if isinstance(value, SentenceEncoder) else OnnxEncoder(value, threads=2)
    story = "ferry " * 400

    whole, beyond, within = encoder.encode([story, story + "council bridge school", "council bridge school " + story])

    assert whole == pytest.approx(beyond, abs=1e-5)
    assert float(whole @ within) < 0.999


@pytest.mark.model
def test_an_export_says_its_name_its_prompt_and_the_sum_of_each_file(
    sentence_encoder: SentenceEncoder, export: Path
) -> None:
    described = json.loads((export / "export.json").read_text(encoding="utf-8"))

    assert described.pop("agreement") >= sentence.AGREEMENT
    assert described == {
        "format": 1,
        "name": "all-MiniLM-L6-v2@53aa51172d14+query:",
        "prompt": PROMPT,
        "dim": 384,
        "max_tokens": 256,
        "files": {file: sha256(export / file) for file in ("model.onnx", "tokenizer.json")},
    }
    assert sorted(path.name for path in export.parent.iterdir()) == ["prompted"]


@pytest.mark.model
def test_an_export_puts_the_prompt_before_every_text_as_the_original_does(
    sentence_encoder: SentenceEncoder, export: Path
) -> None:
    texts = ["", *_texts(20)]

    cosines = np.sum(sentence_encoder.encode(texts) * OnnxEncoder(export, threads=1).encode(texts), axis=1)

    assert cosines.min() >= sentence.AGREEMENT


@pytest.mark.model
def test_one_thread_gives_the_vectors_of_many(export: Path) -> None:
    texts = _texts(12)

    assert OnnxEncoder(export, threads=1).encode(texts) == pytest.approx(OnnxEncoder(export).encode(texts), abs=1e-5)


class SkewedEncoder(OnnxEncoder):
    """An export that is a little off for one of its texts."""

    def encode(self, texts: list[str]) -> Matrix:  # type: ignore[override]
        vectors = super().encode(texts)
        vectors[-1, 0] += 0.05
        return normalise(vectors)


@pytest.mark.model
def test_an_export_that_disagrees_is_refused_and_the_former_one_stays(
    sentence_encoder: SentenceEncoder, export: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path.name: sha256(path) for path in export.iterdir()}
    monkeypatch.setattr(sentence, "OnnxEncoder", SkewedEncoder)

    message = r"^the ONNX export of all-MiniLM-L6-v2@53aa51172d14\+query: agrees only to 0\.99\d{4}, 0\.99999 is asked for; set encoder\.runtime = \"torch\"$"
    with pytest.raises(EncoderError, match=message):
        sentence_encoder.export(export)

    assert {path.name: sha256(path) for path in export.iterdir()} == before
