"""Bytes that are not those that were written: what disks, cables and people do to files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random

Damage = Callable[[bytes, int, int, Random], bytes]
"""Takes the bytes, where a region of them begins and ends, and chance."""


def _flipped(raw: bytes, start: int, end: int, chance: Random) -> bytes:
    return raw[:start] + bytes([raw[start] ^ 1 << chance.randrange(8)]) + raw[start + 1 :]


KINDS: Mapping[str, Damage] = {
    "a bit flipped": _flipped,
    "a region inverted": lambda raw, start, end, chance: (
        raw[:start] + bytes(byte ^ 0xFF for byte in raw[start:end]) + raw[end:]
    ),
    "a region zeroed": lambda raw, start, end, chance: raw[:start] + bytes(end - start) + raw[end:],
    "a region of noise": lambda raw, start, end, chance: raw[:start] + chance.randbytes(end - start) + raw[end:],
    "cut": lambda raw, start, end, chance: raw[:start],
    "a region lost": lambda raw, start, end, chance: raw[:start] + raw[end:],
    "a region twice": lambda raw, start, end, chance: raw[:end] + raw[start:],
    "the end before the beginning": lambda raw, start, end, chance: raw[end:] + raw[:end],
    "grown": lambda raw, start, end, chance: raw + chance.randbytes(end - start),
    "emptied": lambda raw, start, end, chance: b"",
}
REMOVED = "removed"


def damaged(raw: bytes, chance: Random, kind: str | None = None) -> bytes:
    """Return ``raw``, which is not empty, with one thing wrong with it: of ``kind``, or of any."""
    start, length = chance.randrange(len(raw)), chance.choice((1, 16, 512, 5_000))
    return KINDS[kind or chance.choice(list(KINDS))](raw, start, min(len(raw), start + length), chance)


def damage(path: Path, raw: bytes, kind: str, chance: Random) -> None:
    """Put a damaged copy of ``raw`` in the place of a file, or remove it."""
    if kind == REMOVED:
        path.unlink()
    else:
        path.write_bytes(damaged(raw, chance, kind))
