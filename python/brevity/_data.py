"""Bytes from what users have."""

from __future__ import annotations

import os
from typing import Any, Union

import numpy as np

#: Bytes: as such, a path of a file, or a numpy array of type uint8.
Data = Union[bytes, bytearray, memoryview, "os.PathLike[str]", np.ndarray]


def as_bytes(data: Any) -> bytes:
    """The bytes of ``data``; a text is refused, for it has many encodings."""
    if isinstance(data, bytes):
        return data
    if isinstance(data, (bytearray, memoryview)):
        return bytes(data)
    if isinstance(data, os.PathLike):
        with open(data, "rb") as file:
            return file.read()
    if isinstance(data, str):
        raise TypeError(
            "data is a str: give text.encode(), or pathlib.Path(name) for a file"
        )
    array = np.asarray(data)
    if array.dtype != np.uint8:
        raise TypeError(f"data has the type {array.dtype}: give bytes, or an array of uint8")
    return np.ascontiguousarray(array).tobytes()
