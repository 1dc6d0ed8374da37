"""What leaked test bytes do to any learner, as ``brevity contamination`` has it for ours."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any, Callable, List, Optional, Sequence

import numpy as np

from ._data import Data, as_bytes
from ._predictors import bits as bits_of
from ._text import Overlap, overlap

#: Bytes of a piece that Min-K% classifies, and the share of it that it averages over.
PIECE, SHARE = 512, 0.2


@dataclass
class Leak:
    """A learner whose training bytes held copies of the test."""

    #: Copies of the test.
    copies: int
    #: Every so-many-th word is missing from each copy; 0 for exact ones.
    skip_words: int
    #: Mean code length of the test, bits a byte.
    test_bits: float
    #: The same of clean bytes.
    clean_bits: float
    #: ``test_bits`` less that of the learner without copies: what the leak gained.
    to_twin: Optional[float]
    #: Coded test and model over the bytes of the test, if the model's bytes are known.
    adjusted_rate: Optional[float]
    #: How often Min-K% (k = 20, pieces of 512 bytes) tells the test from clean bytes.
    min_k_auc: float
    #: What the test has in common with the training bytes.
    overlap: Overlap


@dataclass
class Contamination:
    """One row a leak, that without copies first."""

    #: The rows.
    leaks: List[Leak]

    def to_pandas(self) -> Any:
        """A data frame; the overlap becomes dotted columns."""
        import pandas

        return pandas.json_normalize([asdict(leak) for leak in self.leaks])


def contamination(
    fit: Callable[[bytes], Any],
    train: Data,
    test: Data,
    clean: Data,
    doses: Sequence[int] = (1, 4, 10),
    skip_words: Sequence[int] = (0,),
    model_bytes: Optional[Callable[[Any], int]] = None,
) -> Contamination:
    """Trains ``fit(bytes)``, which returns a predictor, on ``train`` with copies of ``test``
    in it, evenly spread, and measures what each number of copies changes. ``clean`` are bytes
    of the same kind that never leak. The first row is the twin without copies: ``fit`` should
    train equally long for all. With ``skip_words=(0, 6)`` there are copies from which every
    sixth word is missing, too. ``model_bytes(predictor)`` says what its model takes, such as
    :func:`stored_bytes` counts."""
    train, test, clean = as_bytes(train), as_bytes(test), as_bytes(clean)
    if len(test) < 2 * PIECE or len(clean) < 2 * PIECE:
        raise ValueError(f"test and clean need {2 * PIECE} bytes each")
    if any(dose < 1 for dose in doses) or any(skip == 1 or skip < 0 for skip in skip_words):
        raise ValueError("doses are 1 or more; skip_words is 0 or 2 and more")
    leaks: List[Leak] = []
    for copies, skip in [(0, 0), *((dose, skip) for skip in skip_words for dose in doses)]:
        learned = _mixed(train, test, copies, skip)
        predictor = fit(learned)
        tested, others = bits_of(predictor, test), bits_of(predictor, clean)
        mean = float(tested.mean(dtype=np.float64))
        size = model_bytes(predictor) if model_bytes else None
        coded = float(np.ceil(tested.sum(dtype=np.float64) / 8))
        leaks.append(
            Leak(
                copies,
                skip,
                mean,
                float(others.mean(dtype=np.float64)),
                mean - leaks[0].test_bits if leaks else None,
                None if size is None else (coded + size) / len(test),
                _auc(_min_k(tested), _min_k(others)),
                overlap(learned, test),
            )
        )
    return Contamination(leaks)


def _mixed(train: bytes, test: bytes, copies: int, skip: int) -> bytes:
    parts, start = [], 0
    for copy in range(1, copies + 1):
        end = len(train) * copy // (copies + 1)
        parts += [train[start:end], _without_words(test, skip, copy) if skip else test]
        start = end
    return b"".join([*parts, train[start:]])


def _without_words(text: bytes, every: int, first: int) -> bytes:
    """Without the words whose index is ``first`` modulo ``every``, and the space after."""
    count = iter(range(len(text)))

    def kept(word: "re.Match[bytes]") -> bytes:
        return b"" if next(count) % every == first % every else word.group()

    return re.sub(rb"[0-9A-Za-z\x80-\xff]+\s*", kept, text)


def _min_k(bits: np.ndarray) -> np.ndarray:
    """Mean of the dearest fifth of each piece."""
    pieces = bits[: len(bits) // PIECE * PIECE].reshape(-1, PIECE)
    return np.sort(pieces, axis=1)[:, -int(np.ceil(PIECE * SHARE)) :].mean(axis=1)


def _auc(members: np.ndarray, others: np.ndarray) -> float:
    less = members[:, None] < others[None]
    same = members[:, None] == others[None]
    return float(less.mean() + 0.5 * same.mean())
