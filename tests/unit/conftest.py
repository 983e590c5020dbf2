"""The encoders that the contract is asked of. The real model is loaded and exported once a session."""

from __future__ import annotations

from pathlib import Path

import pytest

from recommender.encoder import Encoder, HashingEncoder, OnnxEncoder, SentenceEncoder, locate


@pytest.fixture(scope="session")
def sentence_encoder() -> SentenceEncoder:
    return SentenceEncoder(locate("all-MiniLM-L6-v2"), threads=2)


@pytest.fixture(scope="session")
def export(sentence_encoder: SentenceEncoder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("encoders") / "export"
    sentence_encoder.export(folder)
    return folder


@pytest.fixture(
    params=[
        "hashing",
        pytest.param("onnx", marks=pytest.mark.model),
        pytest.param("sentence", marks=pytest.mark.model),
    ]
)
def encoder(request: pytest.FixtureRequest) -> Encoder:
    """Each implementation in turn."""
    if request.param == "hashing":
        return HashingEncoder()
    if request.param == "onnx":
        return OnnxEncoder(request.getfixturevalue("export"), threads=2)
    found: SentenceEncoder = request.getfixturevalue("sentence_encoder")
    return found
