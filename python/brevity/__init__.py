"""Measure models by how short they make the description of their data.

    >>> import brevity
    >>> archive = brevity.compress(b"how much wood would a woodchuck chuck " * 20)
    >>> brevity.decompress(archive)[:8]
    b'how much'

What is where:

- :func:`load` reads a model of ours; :class:`Model` gives the bits of each byte;
- :func:`compress` and :func:`decompress` make and read archives, with a model, a predictor
  or neither;
- :func:`score`, :func:`bits` and :func:`prequential` measure any predictor: an object with
  ``start()``, ``next_logprobs()`` and ``update(byte)``, or in blocks (:class:`Predictor`);
  :mod:`brevity.torch` makes one of a ``torch.nn.Module``; :func:`serve` gives one to the
  command;
- :func:`stored_bytes` prices any weights; :func:`table` sets models beside coders on some
  byte sets, :func:`contamination` measures what leaked test bytes change;
- :func:`train`, :func:`sweep`, :func:`critical`, :func:`law`, :func:`select`, and
  :func:`baselines` run the command that comes with the package, and return its results;
  :mod:`brevity.tracking` gives a sweep to MLflow or Weights & Biases.

Lengths are in bits or bytes, as their names say. Interrupts stop the work.
"""

from . import tracking
from ._archives import compress, decompress
from ._brevity import (
    ArchiveError,
    BrevityError,
    ModelError,
    PredictorError,
    WeightsError,
    __version__,
)
from ._command import CommandError, command
from ._contamination import Contamination, Leak, contamination
from ._experiments import (
    Baseline,
    Critical,
    Ranking,
    Results,
    baselines,
    critical,
    law,
    select,
    sweep,
    train,
)
from ._model import Model, Stream, load
from ._predictors import Predictor, Score, bits, score, serve
from ._prequential import Prequential, prequential
from ._table import Cell, Table, table
from ._text import Overlap, overlap
from ._weights import Coded, StoredBytes, stored_bytes

__all__ = [
    "ArchiveError",
    "Baseline",
    "BrevityError",
    "Cell",
    "Coded",
    "CommandError",
    "Contamination",
    "Critical",
    "Leak",
    "Model",
    "ModelError",
    "Overlap",
    "Predictor",
    "PredictorError",
    "Prequential",
    "Ranking",
    "Results",
    "Score",
    "StoredBytes",
    "Stream",
    "Table",
    "WeightsError",
    "__version__",
    "baselines",
    "bits",
    "command",
    "compress",
    "contamination",
    "critical",
    "decompress",
    "law",
    "load",
    "overlap",
    "prequential",
    "score",
    "select",
    "serve",
    "stored_bytes",
    "sweep",
    "table",
    "tracking",
    "train",
]
