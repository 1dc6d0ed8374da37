"""Predictors: objects that give log-probabilities of the next byte, then take it."""

from __future__ import annotations

import struct
import sys
from dataclasses import dataclass, field
from typing import Any, List, Optional

import numpy as np

from . import _brevity
from ._data import Data, as_bytes
from ._model import Model


class Predictor:
    """A predictor of several streams in blocks: the fast form. Subclass it, or give any
    object with the same members.

    The distribution of a byte may depend on the bytes of its stream since the last start
    and on nothing else. Log-probabilities are in nats.
    """

    #: Its name, kept in archives.
    name: str = "predictor"
    #: Bytes after which a stream starts anew; 0 if it never does.
    context: int = 0
    #: Most streams side by side.
    streams: int = 1

    def start(self, streams: int) -> np.ndarray:
        """Starts streams without a past; log-probabilities of their first bytes, float
        [streams, 256]."""
        raise NotImplementedError

    def take(self, blocks: np.ndarray) -> np.ndarray:
        """Takes blocks, uint8 [streams, steps]; log-probabilities of the byte after each
        of their bytes, float [streams, steps, 256]."""
        raise NotImplementedError


class _Blocks:
    """A predictor as the compiled part asks for it: bytes in, bytes out."""

    def __init__(self, predictor: Any):
        self._predictor = predictor
        self._step = not hasattr(predictor, "take")
        if self._step:
            for name in ("start", "next_logprobs", "update"):
                if not callable(getattr(predictor, name, None)):
                    raise TypeError(
                        f"{type(predictor).__name__} is no predictor: it needs start(), "
                        "next_logprobs() and update(byte), or start(streams) and take(blocks)"
                    )
        self.name = str(getattr(predictor, "name", type(predictor).__name__))
        self.context = int(getattr(predictor, "context", 0) or 0)
        self.streams = 1 if self._step else int(getattr(predictor, "streams", 1))

    def start(self, streams: int) -> bytes:
        if self._step:
            self._predictor.start()
            return self._row()
        return _floats(self._predictor.start(streams), (streams, 256), "start")

    def take(self, data: bytes, steps: int) -> bytes:
        if self._step:
            rows = []
            for byte in data:
                self._predictor.update(byte)
                rows.append(self._row())
            return b"".join(rows)
        blocks = np.frombuffer(data, np.uint8).reshape(-1, steps)
        return _floats(self._predictor.take(blocks), (*blocks.shape, 256), "take")

    def _row(self) -> bytes:
        return _floats(self._predictor.next_logprobs(), (256,), "next_logprobs")


def _floats(values: Any, shape: tuple, method: str) -> bytes:
    if hasattr(values, "detach"):
        values = values.detach().cpu().float().numpy()
    array = np.asarray(values)
    if array.dtype.kind != "f":
        raise TypeError(f"{method} gave values of type {array.dtype}, not floats")
    if array.shape != shape:
        raise ValueError(f"{method} gave the shape {array.shape}, not {shape}")
    return np.ascontiguousarray(array, "<f4").tobytes()


def blocks(predictor: Any) -> _Blocks:
    """The form that the compiled part asks for."""
    return predictor if isinstance(predictor, _Blocks) else _Blocks(predictor)


@dataclass
class Score:
    """A predictor or model on bytes."""

    #: Number of bytes.
    data_bytes: int
    #: Their code length, bits.
    data_bits: float
    #: Bytes of the coded stream.
    coded_bytes: int
    #: ``coded_bytes`` over ``data_bytes``.
    raw_rate: float
    #: Bytes of the model, as stated.
    model_bytes: Optional[int]
    #: Coded bytes and model bytes over ``data_bytes``, if those of the model are stated.
    adjusted_rate: Optional[float]
    #: Whether an archive was decoded; otherwise lengths are estimates.
    decoded: bool
    #: What is to be known beside the numbers.
    notes: List[str] = field(default_factory=list)

    @property
    def bits_per_byte(self) -> float:
        """Mean code length, bits a byte."""
        return self.data_bits / max(self.data_bytes, 1)


def bits(predictor: Any, data: Data, check: bool = True) -> np.ndarray:
    """The code length of each byte in bits under a model or predictor, float32 [n], by the
    integer frequencies of the coder. ``check`` feeds equal prefixes with different
    futures first, to find a predictor that reads ahead."""
    if isinstance(predictor, Model):
        return predictor.bits(data)
    raw = _brevity.code_lengths(blocks(predictor), as_bytes(data), check)
    return np.frombuffer(raw, np.float32)


def score(
    predictor: Any,
    data: Data,
    model_bytes: Optional[int] = None,
    estimate: bool = False,
) -> Score:
    """Scores a predictor: it prices the bytes in blocks, and codes them byte by byte to an
    archive that is decoded again, unless ``estimate``. ``model_bytes`` are those of its
    model (see :func:`stored_bytes`), for the adjusted rate."""
    data = as_bytes(data)
    if isinstance(predictor, Model):
        predictor = _Own(predictor)
    found = _brevity.score(blocks(predictor), data, model_bytes, not estimate)
    data_bits, coded, raw_rate, adjusted, notes = found
    return Score(len(data), data_bits, coded, raw_rate, model_bytes, adjusted, not estimate, notes)


class _Own:
    """A model of ours as a predictor byte by byte."""

    def __init__(self, model: Model):
        self._model = model
        self.name = str(model.path)
        self.context = 0 if model.spec.get("window") else model.context

    def start(self) -> None:
        self._stream = self._model.stream()

    def next_logprobs(self) -> np.ndarray:
        return self._stream.next_logprobs()

    def update(self, byte: int) -> None:
        self._stream.feed(bytes([byte]))


def serve(predictor: Any) -> None:
    """Speaks the protocol of docs/predictors.md over standard input and output until the
    input ends: the last line of a program for ``brevity score --predictor "python it.py"``.

    What the program prints goes to standard error from now on.
    """
    source, out = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr
    form = blocks(predictor)
    name = form.name.encode("utf-8")[:1000]

    def read(count: int) -> bytes:
        data = source.read(count)
        if len(data) != count:
            raise EOFError("brevity ended in the middle of a request")
        return data

    read(12)
    out.write(b"brevity\x01" + struct.pack("<4I", 256, form.context, form.streams, len(name)))
    out.write(name)
    out.flush()
    streams = 0
    while True:
        kind = source.read(1)
        if not kind:
            return
        (count,) = struct.unpack("<I", read(4))
        if kind == b"S":
            streams = count
            out.write(form.start(streams))
        else:
            out.write(form.take(read(streams * count), count))
        out.flush()
