"""Sweeps in the trackers that people already use, against the real packages."""

import json
import struct

import pytest

import brevity
from brevity import tracking

TEXT = "".join(f"line {i * i % 97} of {i}\n" for i in range(300)).encode()


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tracked")
    (folder / "data").write_bytes(TEXT)
    config = {
        "name": "sizes",
        "data": {"source": folder / "data"},
        "model": {"context": 32},
        "train": {"steps": 60, "batch_bytes": 256},
        "score": {"verify": False},
        "sweep": {"grid": {"model": {"width": [8, 16]}}},
    }
    return brevity.sweep(config, folder / "out", show=False)


def test_mlflow_has_parameters_curves_and_rates(results, tmp_path):
    mlflow = pytest.importorskip("mlflow")
    store = tmp_path / "runs"
    ids = tracking.to_mlflow(results, store)
    assert len(ids) == 2
    client = mlflow.tracking.MlflowClient(store.as_uri())
    for id, row in zip(ids, results.rows):
        run = client.get_run(id)
        assert run.data.params["model.width"] == str(row["axes"]["model.width"])
        assert run.data.metrics["in-sample/bits_per_byte"] == pytest.approx(row["bits_per_byte"])
        rate = run.data.metrics["in-sample/adjusted_rate/stored"]
        assert rate == pytest.approx(row["adjusted_rate"]["stored"])
        lines = (results.folder / "trials" / row["id"] / "metrics.jsonl").read_text().splitlines()
        steps = [json.loads(line)["step"] for line in lines if "loss" in line]
        assert [m.step for m in client.get_metric_history(id, "train/loss")] == steps
        assert [a.path for a in client.list_artifacts(id)] == ["config.toml"]
    # The folder instead of the results; nothing is written twice.
    assert tracking.to_mlflow(results.folder, store) == []


def test_wandb_runs_are_offline_and_whole(results, tmp_path, monkeypatch):
    wandb = pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    runs = tracking.to_wandb(results, tmp_path)
    assert len(runs) == 2
    # The process of wandb writes on its own; this waits for its end.
    wandb.teardown()
    for run, row in zip(runs, results.rows):
        (log,) = run.glob("run-*.wandb")
        text = records(log)
        assert "train/loss" in text and "in-sample/adjusted_rate/stored" in text
        assert "model.width" in text and row["id"] in text


def records(path):
    """All records of a run's log as text: LevelDB's log format after 7 bytes, with the
    messages of wandb in it."""
    from wandb.proto import wandb_internal_pb2

    data, at, text, message = path.read_bytes(), 7, "", b""
    assert data[:4] == b":W&B"
    while at + 7 <= len(data):
        # What is left of a block of 32 KiB and holds no header is padding.
        if 0x8000 - at % 0x8000 < 7:
            at += 0x8000 - at % 0x8000
            continue
        _, length, kind = struct.unpack_from("<IHB", data, at)
        message += data[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):  # the whole of a message, or the last of it
            record = wandb_internal_pb2.Record()
            record.ParseFromString(message)
            text, message = text + str(record), b""
    return text


def test_parquet_comes_by_pandas(results, tmp_path):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    results.to_pandas().to_parquet(tmp_path / "rows.parquet")
    again = pandas.read_parquet(tmp_path / "rows.parquet")
    assert again["bits_per_byte"].tolist() == [row["bits_per_byte"] for row in results.rows]
