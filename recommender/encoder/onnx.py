"""The exported model in ONNX Runtime: the same vectors without torch, started in half a second."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from recommender.disk import sha256
from recommender.errors import EncoderError, EncoderMissingError
from recommender.vectors import Matrix, normalise

EXPORT_FORMAT = 1
_BATCH_TOKENS = 4096


class OnnxEncoder:
    """An export made by :meth:`recommender.encoder.sentence.SentenceEncoder.export`.

    Attributes:
        name, dim, max_tokens: those of the model that was exported.
    """

    def __init__(self, folder: Path, *, threads: int = 0) -> None:
        """Check every file's sha256 and open the model.

        Args:
            folder: holds ``export.json``, ``model.onnx`` and ``tokenizer.json``.
            threads: CPU threads, 0 for all cores.

        Raises:
            EncoderMissingError: onnxruntime or tokenizers is not installed, or there is no export yet.
            EncoderError: a file was changed or does not fit this version.
        """
        try:
            import onnxruntime
            from tokenizers import Tokenizer
        except ImportError as error:
            raise EncoderMissingError(
                "onnxruntime and tokenizers are not installed: pip install 'newsroom-recommender[onnx]'"
            ) from error
        described = read_export(folder)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )
        self._inputs = [node.name for node in self._session.get_inputs()]
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self.max_tokens = int(described["max_tokens"])
        self._tokenizer.enable_truncation(self.max_tokens)
        self.name = str(described["name"])
        self.dim = int(described["dim"])
        self._prompt = str(described["prompt"])

    def encode(self, texts: Sequence[str]) -> Matrix:
        """Return unit vectors, shape (len(texts), dim), float32.

        Texts are sorted by length, so that a batch holds texts of like length and little padding; a batch has about
        4,096 tokens. What stands beside a text changes its vector by no more than about 1e-7.
        """
        vectors = np.zeros((len(texts), self.dim), np.float32)
        tokens = [encoding.ids for encoding in self._tokenizer.encode_batch([self._prompt + text for text in texts])]
        longest_first = sorted(range(len(texts)), key=lambda number: -len(tokens[number]))
        start = 0
        while start < len(longest_first):
            width = len(tokens[longest_first[start]])
            rows = longest_first[start : start + max(1, _BATCH_TOKENS // max(1, width))]
            vectors[rows] = self._run([tokens[row] for row in rows], width)
            start += len(rows)
        return normalise(vectors)

    def _run(self, batch: list[list[int]], width: int) -> Matrix:
        ids = np.zeros((len(batch), width), np.int64)
        mask = np.zeros_like(ids)
        for row, tokens in enumerate(batch):
            ids[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1
        feeds = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        result: Matrix = self._session.run(None, {name: feeds[name] for name in self._inputs})[0]
        return result


def read_export(folder: Path) -> dict[str, Any]:
    """Return what ``export.json`` says, after checking that every file is the one that was exported.

    Raises:
        EncoderMissingError: there is no export.
        EncoderError: a file was changed, or was written by another version of this program.
    """
    try:
        described = json.loads((folder / "export.json").read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise EncoderMissingError(
            f"{folder}: the encoder has not been exported yet; run: recommender embed (it publishes nothing), or: recommender rebuild"
        ) from error
    except (OSError, ValueError) as error:
        raise EncoderError(
            f"{folder / 'export.json'}: cannot be read ({error}); remove {folder} and run: recommender rebuild"
        ) from error
    mend = f"remove {folder} and run: recommender rebuild"
    if not isinstance(described, dict) or described.get("format") != EXPORT_FORMAT or "files" not in described:
        raise EncoderError(f"{folder}: was exported by another version of this program; {mend}")
    for file, expected in described["files"].items():
        try:
            found = sha256(folder / file)
        except OSError as error:
            raise EncoderError(f"{folder / file}: cannot be read ({error}); {mend}") from error
        if found != expected:
            raise EncoderError(f"{folder / file}: is not the file that was exported (its sha256 differs); {mend}")
    return described
