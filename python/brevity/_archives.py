"""Archives."""

from __future__ import annotations

from typing import Any, Optional, Union

from . import _brevity
from ._data import Data, as_bytes
from ._model import Model
from ._predictors import blocks


def _parts(model: Any) -> tuple:
    """The inner model, or the predictor."""
    if model is None:
        return None, None
    if isinstance(model, Model):
        return model._inner, None
    return None, blocks(model)


def compress(
    data: Data,
    model: Any = None,
    *,
    external: bool = False,
    bits: Union[str, int] = "auto",
    method: Optional[str] = None,
    verify: bool = True,
) -> bytes:
    """An archive of ``data``, as ``brevity compress`` makes it; it is decoded again unless
    ``verify`` is false.

    Without a model it is coded by context models, which store nothing. A :class:`Model` is
    stored in the archive, in ``bits`` a parameter (``"auto"``, ``"fp16"``, ``"int8"``, or
    2 to 16), or only named with ``external``. A predictor is named; decompressing needs it
    again. ``method`` is ``"mixed"`` (with context models, the default), ``"model"``,
    ``"contexts"`` or ``"raw"``.
    """
    own, predictor = _parts(model)
    return _brevity.compress(
        as_bytes(data), own, predictor, external, str(bits), method, verify
    )


def decompress(archive: Data, model: Any = None) -> bytes:
    """The bytes of an archive, whose hashes are checked; ``model`` is the model or the
    predictor of an archive that does not hold one."""
    own, predictor = _parts(model)
    return _brevity.decompress(as_bytes(archive), own, predictor)
