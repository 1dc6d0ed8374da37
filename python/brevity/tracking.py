"""Runs of a sweep in MLflow and in Weights & Biases, where people already look.

Both packages are optional and are imported when they are asked for. Nothing leaves the
machine: MLflow gets a folder (or whatever store a URI names), W&B an offline run that
``wandb sync`` uploads if one wants that.

    brevity.tracking.to_mlflow("runs/quickstart", "runs/mlflow")
    brevity.tracking.to_wandb("runs/quickstart", "runs/wandb")

What a trial was is its parameters: the values that the sweep varied, seed, size. What came
of it are its metrics: the lines of ``metrics.jsonl`` by step, then one value a convention and
regime of each rate.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Dict, Iterator, List, Tuple, Union

from ._experiments import Results

PathName = Union[str, "os.PathLike[str]"]


def _rows(results: Union[PathName, Results]) -> Tuple[Path, List[Dict[str, Any]]]:
    if isinstance(results, Results):
        return results.folder, results.rows
    folder = Path(results)
    return folder, json.loads((folder / "results.json").read_text(encoding="utf-8"))


def _trials(rows: List[Dict[str, Any]]) -> Iterator[Tuple[str, List[Dict[str, Any]]]]:
    """Trials that have been scored, each with its rows, one a regime."""
    by_id: Dict[str, List[Dict[str, Any]]] = {}
    for row in rows:
        if row.get("state") == "done":
            by_id.setdefault(row["id"], []).append(row)
    return iter(by_id.items())


def _parameters(row: Dict[str, Any]) -> Dict[str, Any]:
    known = {**row.get("axes", {}), "seed": row.get("seed"), "parameters": row.get("parameters")}
    known.update({f"data.{key}": value for key, value in row.get("data", {}).items()})
    return {key: value for key, value in known.items() if value is not None}


def _curve(folder: Path, trial: str) -> Iterator[Tuple[int, Dict[str, float]]]:
    """The steps of a trial with what was measured at each."""
    path = folder / "trials" / trial / "metrics.jsonl"
    if not path.exists():
        return
    with open(path, encoding="utf-8") as file:
        for line in file:
            values = json.loads(line)
            step = values.pop("step", None)
            numbers = {k: v for k, v in values.items() if isinstance(v, (int, float))}
            if step is not None and numbers:
                yield step, numbers


def _results(rows: List[Dict[str, Any]]) -> Dict[str, float]:
    """The rates, by regime and convention."""
    found: Dict[str, float] = {}
    for row in rows:
        regime = row["regime"]
        for key in ("bits_per_byte", "raw_rate", "coded_bytes"):
            if row.get(key) is not None:
                found[f"{regime}/{key}"] = row[key]
        for key in ("adjusted_rate", "model_bytes"):
            for convention, value in (row.get(key) or {}).items():
                if value is not None:
                    found[f"{regime}/{key}/{convention}"] = value
    return found


def to_mlflow(
    results: Union[PathName, Results], store: PathName, experiment: str = "brevity"
) -> List[str]:
    """Writes each scored trial as a run of MLflow, with parameters, the training curve, rates,
    and the config as an artifact. ``store`` is a folder (MLflow's file store), or the URI of
    another store, such as ``sqlite:///runs.db``. Returns the ids of the runs. A trial that the
    experiment has already is left alone."""
    uri = os.fspath(store)
    if "://" not in uri:
        uri = Path(uri).absolute().as_uri()
    if uri.startswith("file:"):
        # MLflow 3 wants to be told that a folder is meant.
        os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
    from mlflow.tracking import MlflowClient

    folder, rows = _rows(results)
    client = MlflowClient(uri)
    known = client.get_experiment_by_name(experiment)
    place = known.experiment_id if known else client.create_experiment(experiment)
    written = client.search_runs([place], max_results=50000)
    there = {run.data.tags.get("brevity.trial") for run in written}
    runs = []
    for trial, of in _trials(rows):
        if trial in there:
            continue
        tags = {"brevity.trial": trial, "mlflow.runName": f"{of[0].get('name', 'trial')}-{trial}"}
        run = client.create_run(place, tags=tags).info.run_id
        for key, value in _parameters(of[0]).items():
            client.log_param(run, key, value)
        for step, values in _curve(folder, trial):
            for key, value in values.items():
                client.log_metric(run, f"train/{key}", value, step=step)
        for key, value in _results(of).items():
            client.log_metric(run, key, value)
        config = folder / "trials" / trial / "config.toml"
        if config.exists():
            client.log_artifact(run, str(config))
        client.set_terminated(run)
        runs.append(run)
    return runs


def to_wandb(
    results: Union[PathName, Results], out: PathName, project: str = "brevity"
) -> List[Path]:
    """Writes each scored trial as an offline run of Weights & Biases below ``out``, and
    returns their folders: ``wandb sync FOLDER`` uploads one. Each call writes new runs."""
    import wandb

    folder, rows = _rows(results)
    Path(out).mkdir(parents=True, exist_ok=True)
    runs = []
    for trial, of in _trials(rows):
        run = wandb.init(
            project=project,
            name=f"{of[0].get('name', 'trial')}-{trial}",
            dir=os.fspath(out),
            config=_parameters(of[0]),
            mode="offline",
            settings=wandb.Settings(silent=True),
        )
        for step, values in _curve(folder, trial):
            run.log({f"train/{key}": value for key, value in values.items()}, step=step)
        run.summary.update(_results(of))
        # The folder of a run is the parent of its files.
        runs.append(Path(run.dir).parent)
        run.finish()
    return runs
