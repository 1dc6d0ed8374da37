"""What two texts have in common."""

from __future__ import annotations

from dataclasses import dataclass

from . import _brevity
from ._data import Data, as_bytes


@dataclass
class Overlap:
    """What a test has in common with training bytes."""

    #: Share of the test's word 8-grams that are in the training bytes.
    ngram8: float
    #: Share of its word 13-grams.
    ngram13: float
    #: Share of its places found by eight words, one gap of a word allowed: copies in which
    #: words are missing or others.
    spaced: float
    #: Bytes of the longest common string.
    longest_match: int
    #: Share of the test's bytes in common strings of 50 bytes or more.
    in_long_matches: float


def overlap(train: Data, test: Data) -> Overlap:
    """What ``test`` has in common with ``train``. Takes some twenty times the memory of
    both together.

        >>> import brevity
        >>> brevity.overlap(b"never odd or even", b"odd or even").longest_match
        11
    """
    return Overlap(*_brevity.overlap(as_bytes(train), as_bytes(test)))
