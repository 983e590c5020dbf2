"""Settings made into working parts: the encoder that they name, the recipe that they describe."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from recommender.editorial import Rule, read_rules
from recommender.encoder import Encoder, HashingEncoder, OnnxEncoder, Recipe, SentenceEncoder, locate
from recommender.errors import EncoderDisabledError
from recommender.fusion import Curve, Model, read_model, shipped
from recommender.home import Home
from recommender.settings import EncoderSettings, RankingSettings
from recommender.text import digest

Tell = Callable[[str], None]


def ranking_model(home: Home, settings: RankingSettings) -> Model:
    """Return the weights that the settings name, else the home's own, else the shipped ones; half-lives as they are set.

    Raises:
        SettingsError: the file cannot be read as weights.
    """
    path = settings.weights or (home.weights if home.weights.exists() else None)
    model = read_model(path) if path else shipped()
    curve = model.curve
    half_life = settings.half_life_days or curve.half_life_days
    newer = settings.newer_half_life_days or curve.newer_half_life_days
    return replace(model, curve=Curve(half_life, newer, {**curve.sections, **settings.section_half_life_days}))


def desk_rules(home: Home, settings: RankingSettings) -> tuple[Rule, ...]:
    """Return the desk's rules: from the file that the settings name, else from the home's, else none.

    Raises:
        RulesError: the file says something impossible.
    """
    path = settings.rules or (home.rules if home.rules.exists() else None)
    return read_rules(path) if path else ()


def recipe(settings: EncoderSettings) -> Recipe:
    """Return how an article becomes views."""
    return Recipe(
        title_weight=settings.title_weight,
        description_weight=settings.description_weight,
        body_weight=settings.body_weight,
        chunk_words=settings.chunk_words,
        max_chunks=settings.max_chunks,
    )


def described(settings: EncoderSettings, encoder: Encoder) -> dict[str, object]:
    """Return what a manifest says of the encoder, so that another instance knows whether it speaks the same language."""
    return {
        "model": settings.model,
        "prompt": settings.prompt,
        "name": encoder.name,
        "dim": encoder.dim,
        "recipe": recipe(settings).as_dict(),
        "centring": settings.centring,
    }


def encoder_settings(settings: EncoderSettings, made_with: Mapping[str, Any]) -> EncoderSettings:
    """Return the settings that open the encoder which a snapshot was made with; its manifest says which.

    Model and prompt are the snapshot's, so that a change of encoder is one publication and every reader follows; how it runs
    here is the settings' business, and ``none`` stays: this instance encodes nothing.
    """
    if settings.model == "none":
        return settings
    return settings.model_copy(update={name: made_with[name] for name in ("model", "prompt")})


def is_exported(home: Home, settings: EncoderSettings) -> bool:
    """Tell whether the encoder can be opened for answering without another export."""
    if settings.model in ("none", "hashing") or settings.runtime == "torch":
        return True
    return (_export_folder(home, settings) / "export.json").exists()


def open_encoder(home: Home, settings: EncoderSettings, *, tell: Tell = lambda message: None) -> Encoder:
    """Return the encoder that the settings name, for answering: no torch is imported unless ``runtime`` asks for it.

    Raises:
        EncoderDisabledError: ``encoder.model`` is ``none``.
        EncoderMissingError: packages, weights or the export are missing.
        EncoderError: files were changed.
    """
    if settings.model == "none":
        raise EncoderDisabledError(
            "this instance runs with encoder.model = 'none': it answers for known articles only, not for free text or unseen ones"
        )
    if settings.model == "hashing":
        return HashingEncoder()
    if settings.runtime == "torch":
        return _sentence_encoder(settings, tell)
    return OnnxEncoder(_export_folder(home, settings), threads=settings.threads or 1)


def open_build_encoder(home: Home, settings: EncoderSettings, *, tell: Tell = lambda message: None) -> Encoder:
    """Return the encoder for a rebuild; the model is exported for serving where that has not been done.

    The export also does the rebuild's own encoding: the same vectors, at about twice the rate of sentence-transformers
    on a CPU. With ``runtime = "torch"`` nothing is exported.
    """
    if settings.model in ("none", "hashing") or settings.runtime == "torch":
        return open_encoder(home, settings, tell=tell)
    folder = _export_folder(home, settings)
    if not is_exported(home, settings):
        model = _sentence_encoder(settings, tell)
        tell(f"exporting {model.name} for ONNX Runtime")
        model.export(folder)
    return OnnxEncoder(folder, threads=settings.threads)


def _sentence_encoder(settings: EncoderSettings, tell: Tell) -> SentenceEncoder:
    files = locate(settings.model, allow_download=settings.allow_download)
    tell(f"loading {files.name} with sentence-transformers")
    return SentenceEncoder(files, prompt=settings.prompt, threads=settings.threads)


def _export_folder(home: Home, settings: EncoderSettings) -> Path:
    """Return where the export of this model and prompt lies; the weights' own sum stands in its ``export.json``."""
    readable = re.sub(r"[^A-Za-z0-9.-]+", "-", settings.model).strip("-.")[-60:]
    return home.encoders / f"{readable}-{digest(settings.model, settings.prompt).hex()[:8]}"
