"""The model itself, in sentence-transformers, and its export for serving. The one owner of torch."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from recommender.disk import sha256, sync
from recommender.encoder.onnx import EXPORT_FORMAT, OnnxEncoder
from recommender.encoder.weights import INSTALL_HINT, ModelFiles
from recommender.errors import EncoderError, EncoderMissingError
from recommender.vectors import Matrix, normalise

AGREEMENT = 0.99999
"""The least cosine between an exported model's vectors and the original's; below it the export is refused."""

UNFINISHED = ".tmp"
"""Ends the name of an export that is being written."""

_PROBES = (
    "Flood",
    "Council votes on the harbour bridge after a night of talks",
    "Мер міста оголосив конкурс на відбудову мосту — що відомо",
    "",
    "A long story. " * 400,
    " ".join(f"word{number} and" for number in range(90)),
)


class SentenceEncoder:
    """A sentence-transformers model on the CPU.

    Attributes:
        name: see :class:`~recommender.encoder.weights.ModelFiles`.
        dim: length of its vectors.
        max_tokens: a text beyond this is cut.
    """

    def __init__(self, files: ModelFiles, *, prompt: str = "", threads: int = 0) -> None:
        """Load the model (seconds, hundreds of megabytes).

        Args:
            files: where it lies.
            prompt: put before every text, for models trained with one (``query: `` for the E5 family).
            threads: CPU threads, 0 for all cores.

        Raises:
            EncoderMissingError: torch or sentence-transformers is not installed.
            EncoderError: the folder does not hold a model that can be loaded.
        """
        try:
            import torch
            from sentence_transformers import SentenceTransformer
        except ImportError as error:
            raise EncoderMissingError(f"sentence-transformers and torch are not installed: {INSTALL_HINT}") from error
        if threads:
            torch.set_num_threads(threads)
        try:
            with _quiet():
                self._model = SentenceTransformer(
                    str(files.folder),
                    device="cpu",
                    trust_remote_code=False,
                    local_files_only=True,
                    model_kwargs={"use_safetensors": True},
                )
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise EncoderError(
                f"{files.folder}: is not a sentence-transformers model that can be loaded: {error}"
            ) from error
        self._model.eval()
        self._folder = files.folder
        self._prompt = prompt
        self.name = files.name if not prompt else f"{files.name}+{prompt.strip()}"
        self.max_tokens = int(self._model.max_seq_length or 512)
        self.dim = self.encode(["probe"]).shape[1]

    def encode(self, texts: Sequence[str]) -> Matrix:
        """Return unit vectors, shape (len(texts), dim), float32. Sorted by length and batched by sentence-transformers."""
        if not texts:
            return np.zeros((0, self.dim), np.float32)
        prompted = [self._prompt + text for text in texts]
        with _quiet():
            vectors = self._model.encode(prompted, batch_size=32, show_progress_bar=False, convert_to_numpy=True)
        return normalise(vectors)

    def export(self, folder: Path) -> None:
        """Write the model as ONNX beside its tokenizer into ``folder`` (made anew), for :class:`OnnxEncoder`.

        The whole chain is exported (transformer, pooling, normalisation), so that nothing has to be written again on
        the other side. The export is opened, compared with the original on texts of many lengths, and kept only
        where every cosine is at least ``AGREEMENT``.

        Raises:
            EncoderError: the export disagrees, or this architecture cannot be exported.
        """
        partial = folder.with_name(folder.name + UNFINISHED)
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        try:
            self._write_export(partial)
            shutil.rmtree(folder, ignore_errors=True)
            partial.rename(folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)

    def _write_export(self, folder: Path) -> None:
        self._write_onnx(folder / "model.onnx")
        tokenizer = self._folder / "tokenizer.json"
        if not tokenizer.is_file():
            raise EncoderError(f"{self._folder}: has no tokenizer.json, so it cannot run without torch")
        shutil.copyfile(tokenizer, folder / "tokenizer.json")
        described = {
            "format": EXPORT_FORMAT,
            "name": self.name,
            "prompt": self._prompt,
            "dim": self.dim,
            "max_tokens": self.max_tokens,
            "files": {file: sha256(folder / file) for file in ("model.onnx", "tokenizer.json")},
        }
        _write_json(folder / "export.json", described)
        exported = OnnxEncoder(folder, threads=1).encode(_PROBES)
        agreement = float(np.min(np.sum(self.encode(_PROBES) * exported, axis=1)))
        if agreement < AGREEMENT:
            raise EncoderError(
                f"the ONNX export of {self.name} agrees only to {agreement:.6f}, {AGREEMENT} is asked for; "
                'set encoder.runtime = "torch"'
            )
        _write_json(folder / "export.json", described | {"agreement": round(agreement, 7)})
        for file in folder.iterdir():
            sync(file)

    def _write_onnx(self, path: Path) -> None:
        import torch

        names = [
            name
            for name in self._model.tokenizer.model_input_names
            if name in ("input_ids", "attention_mask", "token_type_ids")
        ]
        sample = self._model.tokenizer(["a longer sample text", "short"], padding=True, return_tensors="pt")
        chain = list(self._model.children())

        class Chain(torch.nn.Module):  # type: ignore[misc]
            def __init__(self) -> None:
                super().__init__()
                self.chain = torch.nn.ModuleList(chain)

            def forward(self, *inputs: Any) -> Any:
                features = dict(zip(names, inputs, strict=True))
                for module in self.chain:
                    features = module(features)
                return features["sentence_embedding"]

        try:
            with _quiet():
                torch.onnx.export(
                    Chain().eval(),
                    tuple(sample[name] for name in names),
                    str(path),
                    input_names=names,
                    output_names=["sentence_embedding"],
                    dynamic_axes={name: {0: "batch", 1: "token"} for name in names}
                    | {"sentence_embedding": {0: "batch"}},
                    opset_version=17,
                    dynamo=False,
                )
        except (RuntimeError, TypeError, ValueError, ImportError) as error:
            raise EncoderError(
                f'{self.name} cannot be exported to ONNX ({error}); set encoder.runtime = "torch"'
            ) from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the model stack's own progress bars and notices off the terminal."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    logging.getLogger("sentence_transformers").setLevel(logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
