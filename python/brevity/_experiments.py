"""Trainings, sweeps and statistics: what the command does, as objects."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Union

from ._brevity import BrevityError
from ._command import command
from ._data import as_bytes
from ._model import Model, load

PathName = Union[str, "os.PathLike[str]"]


def _toml(value: Any) -> str:
    """A value in TOML; strings of JSON are strings of TOML."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float, str)):
        return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)
    if isinstance(value, os.PathLike):
        return json.dumps(os.fspath(value))
    if isinstance(value, Mapping):
        items = (f"{json.dumps(str(k))} = {_toml(v)}" for k, v in value.items() if v is not None)
        return "{" + ", ".join(items) + "}"
    if isinstance(value, Iterable):
        return "[" + ", ".join(_toml(v) for v in value) + "]"
    raise TypeError(f"{value!r} has no form in a config")


def _config(config: Mapping[str, Any], folder: str) -> Path:
    """A config in a file; bytes as ``data.source`` are put beside it."""
    config = {key: dict(v) if isinstance(v, Mapping) else v for key, v in config.items()}
    data = config.get("data")
    if isinstance(data, dict) and not isinstance(data.get("source"), (str, os.PathLike)):
        raise TypeError("data.source in a config is the name of a file or of a data set")
    path = Path(folder, "config.toml")
    lines = (f"{key} = {_toml(value)}\n" for key, value in config.items())
    path.write_text("".join(lines), encoding="utf-8")
    return path


@dataclass
class Results:
    """The rows of a sweep: one for each trial and regime, in the format of docs/json.md."""

    #: The rows.
    rows: List[Dict[str, Any]]
    #: The folder of the sweep.
    folder: Path

    def to_pandas(self) -> Any:
        """A data frame; objects become dotted columns."""
        import pandas

        return pandas.json_normalize(self.rows)

    def models(self) -> List[Model]:
        """The trained models, in the order of the rows that are done."""
        done = {row["id"]: None for row in self.rows if row.get("state") == "done"}
        return [load(self.folder / "trials" / id) for id in done]

    def __len__(self) -> int:
        return len(self.rows)


def sweep(
    config: Union[PathName, Mapping[str, Any]],
    out: PathName,
    resume: bool = False,
    set: Optional[Mapping[str, Any]] = None,
    show: bool = True,
) -> Results:
    """Runs ``brevity sweep`` with a config file, or a mapping of the same form, and returns
    its rows. ``out`` is its folder; with ``resume``, a sweep that was stopped there goes on.
    ``set`` changes settings by dotted key. ``show`` lets the progress through."""
    with tempfile.TemporaryDirectory() as folder:
        path = _config(config, folder) if isinstance(config, Mapping) else Path(config)
        options = [f"--set={key}={_toml(value)}" for key, value in (set or {}).items()]
        options += ["--resume"] if resume else []
        text = command("sweep", path, "--out", out, "--json", *options, show=show)
    return Results(json.loads(text), Path(out))


def train(
    spec: Mapping[str, Any],
    data: Any,
    out: Optional[PathName] = None,
    show: bool = False,
    **settings: Any,
) -> Model:
    """Trains a transformer on bytes, a file or a data set's name (``data="crates"``), and
    returns it. ``spec`` is the ``[model]`` of a config, such as ``{"width": 32, "context":
    128}``; settings are those of ``[train]``, such as ``epochs=2.0`` and ``seed=1``. ``out``
    is the folder of the run, a temporary one by default."""
    folder = Path(out) if out is not None else Path(tempfile.mkdtemp(prefix="brevity-"))
    with tempfile.TemporaryDirectory() as scratch:
        if isinstance(data, str):
            source: Any = data
        elif isinstance(data, os.PathLike):
            source = os.path.abspath(data)
        else:
            # Beside the run, so that it can be scored again later.
            folder.mkdir(parents=True, exist_ok=True)
            source = os.path.abspath(folder) + ".bytes"
            Path(source).write_bytes(as_bytes(data))
        seed = settings.pop("seed", 0)
        config = {
            "name": "python",
            "seed": seed,
            "data": {"source": source},
            "model": dict(spec),
            "train": settings,
            "score": {"verify": False},
        }
        text = command(
            "train", _config(config, scratch), "--out", folder, "--json", show=show
        )
    row = json.loads(text)[0]
    return load(folder / "trials" / row["id"])


def _folder(results: Any) -> str:
    return os.fspath(results.folder if isinstance(results, Results) else results)


def _table(points: Any, scratch: str) -> Path:
    """Points as a CSV file: of a data frame, or of mappings."""
    path = Path(scratch, "points.csv")
    if hasattr(points, "to_csv"):
        points.to_csv(path, index=False)
        return path
    import csv

    rows = list(points)
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]) if rows else [])
        writer.writeheader()
        writer.writerows(rows)
    return path


@dataclass
class Critical:
    """A critical size: one data size, regime and convention."""

    #: Bytes of training data.
    data_bytes: float
    #: How model bytes are counted.
    convention: str
    #: Relation of the scored to the training bytes.
    regime: str
    #: The critical size, parameters; None where there is none.
    n_star: Optional[float]
    #: Its 95% interval.
    ci95: Optional[Sequence[float]]
    #: Adjusted rate there.
    rate: Optional[float]
    #: Exponent of the law.
    alpha: Optional[float]
    #: What is to be known beside the numbers.
    warnings: List[Any] = field(default_factory=list)
    #: Everything that the command prints.
    all: Dict[str, Any] = field(default_factory=dict, repr=False)


def _critical(results: Any, options: Sequence[str]) -> Any:
    with tempfile.TemporaryDirectory() as scratch:
        if isinstance(results, (str, os.PathLike, Results)):
            path = Path(_folder(results))
            source = ["--points", path] if path.suffix == ".csv" else [path]
        else:
            source = ["--points", _table(results, scratch)]
        return json.loads(command("critical", *source, "--json", *options))


def critical(results: Any, predict: Sequence[float] = ()) -> List[Critical]:
    """The critical sizes of a sweep, of its folder, or of points: a CSV file, a data frame
    or mappings with ``parameters``, ``data_bytes`` and ``bits_per_byte``. For each data
    size of ``predict`` there is one more, by the law over data sizes (:func:`law`)."""
    found = _critical(results, [])
    keys = ("data_bytes", "convention", "regime", "n_star", "ci95", "rate", "alpha")
    sizes = [Critical(*(one.get(k) for k in keys), one.get("warnings") or [], one) for one in found]
    for one in law(results, predict) if len(predict) else []:
        alpha, warnings = one["law"].get("alpha"), one.get("warnings") or []
        for foretold in one["predictions"]:
            if foretold["data_bytes"] in [float(size) for size in predict]:
                get = foretold.get
                known = (one["convention"], one["regime"], get("n_star"), get("ci95"), get("rate"))
                sizes.append(Critical(foretold["data_bytes"], *known, alpha, warnings, foretold))
    return sizes


def law(results: Any, predict: Sequence[float] = ()) -> List[Dict[str, Any]]:
    """The law over data sizes of each source, regime and convention, in the format of
    ``brevity critical --law --json``: ``law``, ``parameters``, ``predictions`` at the
    measured data sizes and at those of ``predict``, ``left_out``, ``warnings``, ..."""
    options = ["--predict", ",".join(repr(float(d)) for d in predict)] if len(predict) else []
    return _critical(results, ["--law", *options])


@dataclass
class Ranking:
    """Models of one byte set, the shortest description first."""

    #: Where the bytes came from.
    source: str
    #: How many.
    data_bytes: int
    #: How model bytes are counted.
    convention: str
    #: Bits that naming the chosen one costs.
    choice_bits: float
    #: The models: mappings in the format of docs/json.md.
    candidates: List[Dict[str, Any]]

    @property
    def best(self) -> str:
        """What the first is called."""
        return self.candidates[0]["settings"]

    def to_pandas(self) -> Any:
        """The models as a data frame."""
        import pandas

        return pandas.json_normalize(self.candidates)


def select(results: Any) -> List[Ranking]:
    """Ranks by description length: a sweep, its folder, or a table of any models, a CSV
    file, data frame or mappings with ``model``, ``model_bytes``, ``data_bits`` and
    ``data_bytes``, optionally ``seed`` and ``group`` (a piece of the data)."""
    with tempfile.TemporaryDirectory() as scratch:
        if isinstance(results, (str, os.PathLike, Results)):
            path = Path(_folder(results))
            source = ["--table", path] if path.suffix == ".csv" else [path]
        else:
            source = ["--table", _table(results, scratch)]
        found = json.loads(command("select", *source, "--json"))
    keys = ("source", "data_bytes", "convention", "choice_bits", "candidates")
    return [Ranking(*(one[key] for key in keys)) for one in found]


@dataclass
class Baseline:
    """Bytes under a classical coder."""

    #: The coder and its setting.
    coder: str
    #: Bytes of its stream.
    bytes: int
    #: Over the raw bytes.
    rate: float


def baselines(data: Any, chunk: Optional[int] = None) -> List[Baseline]:
    """Bytes, or a file, under the classical coders; each stream is decoded and compared."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch, "data")
        path.write_bytes(as_bytes(data))
        options = [] if chunk is None else [f"--chunk={chunk}"]
        found = json.loads(command("baselines", path, "--json", *options))
    (file,) = found if isinstance(found, list) else [found]
    if not file["results"]:
        raise BrevityError("no coder could measure the bytes")
    return [Baseline(one["coder"], one["bytes"], one["rate"]) for one in file["results"]]
