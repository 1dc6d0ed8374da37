"""What anybody's weights cost."""

from __future__ import annotations

import json
import math
import os
import struct
from dataclasses import dataclass
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Tuple, Union

import numpy as np

from . import _brevity


@dataclass
class Coded:
    """Weights at one precision, entropy-coded."""

    #: ``fp16``, ``int8``, ``4-bit`` or ``shortest``.
    name: str
    #: Bytes, names and shapes included; they were decoded again.
    bytes: int
    #: Root of the mean square of the errors over that of the values.
    relative_error: float
    #: Code length of the data under these weights, bits, if there is a loss.
    data_bits: Optional[float]

    @property
    def total_bytes(self) -> Optional[float]:
        """Weights and data together."""
        return None if self.data_bits is None else self.bytes + self.data_bits / 8


@dataclass
class StoredBytes:
    """What weights cost."""

    #: Number of tensors.
    tensors: int
    #: Number of values.
    parameters: int
    #: Bytes of the values as given.
    given_bytes: int
    #: Bytes at 4 a value.
    fp32: int
    #: Bytes at 2 a value.
    fp16: int
    #: Bits of the data under the weights as given, if there is a loss.
    exact_data_bits: Optional[float]
    #: At some precisions.
    coded: List[Coded]

    def __getitem__(self, name: str) -> Coded:
        """That of a precision."""
        for coded in self.coded:
            if coded.name == name:
                return coded
        raise KeyError(name)

    @property
    def shortest(self) -> Optional[Coded]:
        """With the shortest description of weights and data, if there is a loss."""
        return next((coded for coded in self.coded if coded.name == "shortest"), None)


Weights = Union[Mapping[str, Any], str, "os.PathLike[str]"]


def stored_bytes(
    weights: Weights,
    loss: Optional[Callable[[Dict[str, np.ndarray]], float]] = None,
    skip: Optional[Callable[[str], bool]] = None,
) -> StoredBytes:
    """Prices weights under our weight coder: a ``state_dict()``, any mapping of names to
    arrays, or the path of an ``.npz`` or safetensors file. ``skip(name)`` leaves tensors
    out, such as masks.

    ``loss`` gets the weights as a decoder would have them, float32 arrays by name, and
    returns the code length of *all* data in bits. Then ``shortest`` is the precision with
    the shortest description of weights and data; it is asked about 40 times. Loading them
    back into a module is the callback's work::

        def loss(arrays):
            model.load_state_dict({k: torch.from_numpy(v) for k, v in arrays.items()}, strict=False)
            return brevity.bits(brevity.torch.ByteModel(model), data, check=False).sum()
    """
    given = []
    for name, value in _tensors(weights):
        if skip is not None and skip(name):
            continue
        given.append(_given(name, value))
    callback = None
    if loss is not None:

        def callback(tensors: list) -> float:
            arrays = {
                name: np.frombuffer(data, np.float32).reshape(shape).copy()
                for name, shape, data in tensors
            }
            return float(loss(arrays))

    found = _brevity.price(given, callback)
    return StoredBytes(**{**found, "coded": [Coded(**coded) for coded in found["coded"]]})


def _tensors(weights: Weights) -> Any:
    if isinstance(weights, Mapping):
        return weights.items()
    path = os.fspath(weights)
    if path.endswith(".npz"):
        return np.load(path).items()
    return _safetensors(path)


#: Types of safetensors as numpy has them; BF16 is widened.
_TYPES = {
    **{f"F{bits}": f"<f{bits // 8}" for bits in (16, 32, 64)},
    **{f"I{bits}": f"<i{bits // 8}" for bits in (8, 16, 32, 64)},
    **{f"U{bits}": f"<u{bits // 8}" for bits in (8, 16, 32, 64)},
    "BF16": "<u2",
    "BOOL": "?",
}


def _safetensors(path: str) -> Iterator[Tuple[str, np.ndarray]]:
    """The tensors of a safetensors file, one after another."""

    def wrong(problem: str) -> _brevity.WeightsError:
        return _brevity.WeightsError(f"{path}: {problem}")

    size = os.path.getsize(path)
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8).ljust(8, b"\xff"))
        if length > min(size - 8, 100 << 20):
            raise wrong("it is no safetensors file")
        try:
            header = json.loads(file.read(length))
            # By name, as the command takes them.
            tensors = sorted((n, of) for n, of in header.items() if n != "__metadata__")
            named = [(n, of["dtype"], of["shape"], *of["data_offsets"]) for n, of in tensors]
        except (ValueError, KeyError, TypeError, AttributeError):
            raise wrong("its header is damaged") from None
        for name, kind, shape, start, end in named:
            if kind not in _TYPES:
                raise wrong(f"tensor `{name}` is of type {kind}, which is no weight")
            dtype = np.dtype(_TYPES[kind])
            if not 0 <= start <= end <= size - 8 - length or (
                end - start != dtype.itemsize * math.prod(shape)
            ):
                raise wrong(f"tensor `{name}` does not lie in the file")
            file.seek(8 + length + start)
            array = np.frombuffer(file.read(end - start), dtype).reshape(shape)
            if kind == "BF16":
                array = (array.astype("<u4") << 16).view("<f4")
            yield name, array


def _given(name: str, value: Any) -> tuple:
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        # numpy has no bfloat16.
        value = (value.float() if str(value.dtype) == "torch.bfloat16" else value).numpy()
    array = np.asarray(value)
    kind = {"b": "bool", "c": "complex", "O": "object", "U": "text", "S": "text"}
    if array.dtype.kind in kind:
        raise _brevity.WeightsError(
            f"tensor `{name}` is of type {kind[array.dtype.kind]}, which is no weight: "
            "leave it out with skip"
        )
    code = array.dtype.kind + str(array.dtype.itemsize)
    little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    return name, list(array.shape), code, little.tobytes()
