"""Coders, models and predictors across byte sets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, List, Mapping, Optional, Tuple, Union

import numpy as np

from ._data import Data, as_bytes
from ._experiments import baselines
from ._predictors import bits as bits_of


@dataclass
class Cell:
    """A model on a byte set."""

    #: The model.
    model: str
    #: The byte set.
    set: str
    #: Number of bytes.
    data_bytes: int
    #: Coded over raw bytes.
    raw_rate: float
    #: Coded bytes and those of the model over the raw bytes, if the latter are known.
    adjusted_rate: Optional[float]
    #: Whether the stream was decoded; otherwise the length is an estimate.
    decoded: bool


@dataclass
class Table:
    """A cell for each model and byte set."""

    #: The cells, set by set.
    cells: List[Cell]

    def to_pandas(self, rate: str = "raw_rate") -> Any:
        """Models by sets: a data frame of one of the rates."""
        import pandas

        frame = pandas.DataFrame([vars(cell) for cell in self.cells])
        return frame.pivot(index="model", columns="set", values=rate)


def table(
    sets: Mapping[str, Data],
    models: Mapping[str, Union[Any, Tuple[Any, int]]],
    coders: bool = True,
) -> Table:
    """The rates of models and, with ``coders``, of the classical coders on whole byte sets.
    A model is one of ours or any predictor, or a pair of it and the bytes of its model::

        brevity.table({"prose": prose, "code": code},
                      {"gru": (ByteModel(gru), brevity.stored_bytes(state)["int8"].bytes)})
    """
    cells: List[Cell] = []
    for name, given in sets.items():
        data = as_bytes(given)
        if not data:
            raise ValueError(f"the set {name} has no bytes")
        for model, of in models.items():
            predictor, size = of if isinstance(of, tuple) else (of, None)
            coded = int(np.ceil(bits_of(predictor, data).sum(dtype=np.float64) / 8))
            adjusted = None if size is None else (coded + size) / len(data)
            cells.append(Cell(model, name, len(data), coded / len(data), adjusted, False))
        for one in baselines(data) if coders else []:
            cells.append(Cell(one.coder, name, len(data), one.rate, one.rate, True))
    return Table(cells)
