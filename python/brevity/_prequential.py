"""Prequential code lengths of any learner."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Callable, List, Tuple

import numpy as np

from . import _brevity
from ._data import Data, as_bytes
from ._predictors import blocks


@dataclass
class Prequential:
    """The code length of data that are priced before they are learned, in one pass. It is
    an estimate: nothing was decoded."""

    #: Number of bytes.
    data_bytes: int
    #: Their code length, bits.
    data_bits: float
    #: Bits of each byte, float32 [n].
    bits: np.ndarray
    #: Bytes that are priced together, before they are learned.
    block: int

    @property
    def bits_per_byte(self) -> float:
        """Mean code length, bits a byte."""
        return self.data_bits / max(self.data_bytes, 1)

    @property
    def rate(self) -> float:
        """Coded over raw bytes."""
        return math.ceil(self.data_bits / 8) / max(self.data_bytes, 1)

    def curve(self, points: int = 100) -> List[Tuple[int, float]]:
        """Bytes seen, and mean bits a byte of the stretch that ends there."""
        edges = np.unique(np.linspace(0, self.data_bytes, points + 1).astype(int))
        pairs = zip(edges[:-1], edges[1:])
        return [(int(b), float(self.bits[a:b].mean())) for a, b in pairs]

    def to_pandas(self, points: int = 100) -> Any:
        """The curve as a data frame."""
        import pandas

        return pandas.DataFrame(self.curve(points), columns=["bytes", "bits_per_byte"])


class _Learner:
    """Blocks are priced, then learned."""

    def __init__(self, learner: Any):
        self.learner = learner

    def price(self, block: bytes) -> np.ndarray:
        array = np.frombuffer(block, np.uint8)
        given = self.learner.logprobs(array)
        if hasattr(given, "detach"):
            given = given.detach().cpu().float().numpy()
        given = np.asarray(given, np.float32)
        if given.shape != (len(block), 256):
            raise ValueError(f"logprobs gave the shape {given.shape}, not {(len(block), 256)}")
        row = _Rows(given)
        # The frequencies of the coder, and the checks of a distribution.
        return np.frombuffer(_brevity.code_lengths(row, block, False), np.float32)


class _Rows:
    """Log-probabilities that are there already."""

    name, context, streams = "rows", 0, 1

    def __init__(self, rows: np.ndarray):
        self._rows, self._at = rows, 1

    def start(self, streams: int) -> bytes:
        return self._rows[0].astype("<f4").tobytes()

    def take(self, data: bytes, steps: int) -> bytes:
        taken = self._rows[self._at : self._at + steps]
        self._at += steps
        return np.ascontiguousarray(taken, "<f4").tobytes()


def prequential(
    factory: Callable[[], Any], data: Data, block: int = 1024, check: bool = True
) -> Prequential:
    """The prequential code length of ``data`` by a learner that ``factory()`` makes, with
    no memory of data.

    Either the learner predicts byte by byte (``start``, ``next_logprobs``, ``update``, where
    ``update`` also learns), or it learns in blocks: ``logprobs(block)`` prices a block,
    uint8 [n], by log-probabilities (nats) [n, 256] of *its* bytes, where those of a byte may
    depend on the bytes before it; then ``learn(block)`` learns it. That is the training loop
    of a network with one step a block. ``check`` looks whether ``logprobs`` reads ahead.
    """
    data = as_bytes(data)
    learner = factory()
    if not callable(getattr(learner, "logprobs", None)):
        raw = _brevity.code_lengths(blocks(learner), data, False)
        bits = np.frombuffer(raw, np.float32)
        return Prequential(len(data), float(bits.sum(dtype=np.float64)), bits, 1)
    learner = _Learner(learner)
    if check and len(data) >= 2:
        _reads_ahead(learner.learner, data[:block])
    parts = []
    for start in range(0, len(data), block):
        part = data[start : start + block]
        try:
            parts.append(learner.price(part))
        except _brevity.PredictorError as error:
            raise _brevity.PredictorError(f"block from byte {start}: {error}") from None
        learner.learner.learn(np.frombuffer(part, np.uint8))
    bits = np.concatenate(parts) if parts else np.zeros(0, np.float32)
    return Prequential(len(data), float(bits.sum(dtype=np.float64)), bits, block)


def _reads_ahead(learner: Any, block: bytes) -> None:
    """Equal bytes with another future must have equal distributions."""
    known = len(block) // 2
    first = np.frombuffer(block, np.uint8)
    second = first.copy()
    second[known:] ^= 0x15

    def rows(block: np.ndarray) -> np.ndarray:
        given = learner.logprobs(block)
        given = given.detach().cpu().float().numpy() if hasattr(given, "detach") else given
        return np.asarray(given)[: known + 1]

    difference = float(np.abs(rows(first) - rows(second)).max())
    if difference > 1e-2:
        raise _brevity.PredictorError(
            f"logprobs reads ahead: with the same bytes before, a byte gets other probabilities "
            f"(by {difference:.1e} nats) when later bytes change"
        )
