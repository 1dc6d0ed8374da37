"""A ``torch.nn.Module`` as a predictor."""

from __future__ import annotations

from typing import Any, Optional

import numpy as np

from ._predictors import Predictor


class ByteModel(Predictor):
    """A module that maps bytes, an integer tensor [batch, length], to logits [batch,
    length, 256], where those at a position are of the *next* byte: a causal language model
    over bytes. A tuple's first element, or ``.logits`` of what it returns, is taken.

    The data are cut into chunks of ``context`` bytes, ``batch`` of which go through the
    module at once. The first byte of a chunk has nothing before it: it is predicted after
    the byte ``bos`` if the module was trained so, otherwise it costs 8 bits.

    Archives need each prefix of a chunk again for each byte: choose short contexts, or
    score with ``estimate=True``.
    """

    def __init__(
        self,
        module: Any,
        context: int = 256,
        batch: int = 32,
        bos: Optional[int] = None,
        name: Optional[str] = None,
        device: Any = None,
    ):
        if context < 2:
            raise ValueError(f"a context of {context} bytes")
        self.module = module
        self.context = context
        self.streams = batch
        self.bos = bos
        self.name = name or type(module).__name__
        self.device = device
        self._past = np.zeros((0, 0), np.int64)

    def start(self, streams: int) -> np.ndarray:
        width = 0 if self.bos is None else 1
        self._past = np.full((streams, width), self.bos or 0, np.int64)
        if self.bos is None:
            return np.full((streams, 256), -np.log(256.0), np.float32)
        return self._logprobs(1)[:, 0]

    def take(self, blocks: np.ndarray) -> np.ndarray:
        self._past = np.concatenate([self._past, blocks.astype(np.int64)], axis=1)
        return self._logprobs(blocks.shape[1])

    def _logprobs(self, last: int) -> np.ndarray:
        """Those after the last bytes of the past."""
        import torch

        was_training = getattr(self.module, "training", False)
        if was_training:
            self.module.eval()
        try:
            with torch.no_grad():
                out = self.module(torch.from_numpy(self._past).to(self.device))
                out = out[0] if isinstance(out, tuple) else getattr(out, "logits", out)
                if out.shape[-1] != 256:
                    raise ValueError(f"the module has {out.shape[-1]} symbols, not 256")
                out = torch.log_softmax(out[:, -last:].float(), dim=-1)
                return out.cpu().numpy()
        finally:
            if was_training:
                self.module.train()
