"""Byte transformers of ours."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any, Dict, Union

import numpy as np

from . import _brevity
from ._command import command
from ._data import Data, as_bytes


class Stream:
    """Bytes one after another under a model; :meth:`Model.stream` makes one."""

    def __init__(self, inner: _brevity.Stream):
        self._inner = inner

    def feed(self, data: Data) -> "Stream":
        """Takes bytes. A model without an attention window starts anew after each
        context, as it does in archives. Returns itself."""
        self._inner.feed(as_bytes(data))
        return self

    def next_byte_logits(self) -> np.ndarray:
        """Logits of the next byte, nats up to a constant: float32 [256]."""
        return np.frombuffer(self._inner.next_byte_logits(), np.float32)

    def next_logprobs(self) -> np.ndarray:
        """Log-probabilities of the next byte, nats: float32 [256]."""
        logits = self.next_byte_logits().astype(np.float64)
        logits -= logits.max()
        return (logits - np.log(np.exp(logits).sum())).astype(np.float32)

    def __len__(self) -> int:
        """Number of bytes taken."""
        return self._inner.taken()


class Model:
    """A byte transformer; :func:`load` reads one."""

    def __init__(self, inner: _brevity.Model, path: Path):
        self._inner = inner
        #: The safetensors file.
        self.path = path

    @property
    def spec(self) -> Dict[str, Any]:
        """What transformer it is: width, layers, context, ..."""
        return json.loads(self._inner.spec())

    @property
    def parameters(self) -> int:
        """Number of parameters."""
        return self._inner.parameters()

    @property
    def context(self) -> int:
        """Bytes of a context."""
        return self.spec["context"]

    def bits(self, data: Data) -> np.ndarray:
        """The exact code length of each byte in bits, float32 [n]: that of an archive by
        this model alone, without its headers."""
        return np.frombuffer(self._inner.bits(as_bytes(data)), np.float32)

    def bits_per_byte(self, data: Data) -> float:
        """Mean code length, with the digits that ``brevity score`` prints."""
        data = as_bytes(data)
        return self._inner.total_bits(data) / max(len(data), 1)

    def stream(self) -> Stream:
        """A stream at its start."""
        return Stream(self._inner.stream())

    def generate(
        self, prompt: Data, n: int = 200, seed: int = 0, temperature: float = 1.0
    ) -> bytes:
        """Continues ``prompt``, one byte at least, by ``n`` sampled bytes, as ``brevity
        generate`` does: a seed gives the same bytes on any machine."""
        if not as_bytes(prompt):
            raise ValueError("the prompt is empty: give one byte at least")
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "prompt")
            file.write_bytes(as_bytes(prompt))
            options = [f"--bytes={n}", f"--seed={seed}", f"--temperature={temperature}"]
            return command(
                "generate", self.path, "--prompt", file, "--no-prompt", *options, binary=True
            )

    def __repr__(self) -> str:
        return f"<brevity.Model {self.path}: {self.parameters} parameters>"


def load(path: Union[str, "os.PathLike[str]"]) -> Model:
    """Reads a model: a safetensors file of ours, or the folder of a trial. Pretrained
    models (GGUF, Hugging Face) code tokens, which have no bits of single bytes: score
    them with ``brevity.command("score", path, "--data", file)``."""
    path = Path(path)
    if path.is_dir():
        path = path / "model.safetensors"
    return Model(_brevity.Model(path), path)
