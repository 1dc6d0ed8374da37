"""What the command prints for machines is what docs/schema says."""

import json
from pathlib import Path

import numpy as np
import pytest

import brevity

jsonschema = pytest.importorskip("jsonschema")

SCHEMAS = Path(__file__).parents[2] / "docs" / "schema"
TEXT = "".join(f"line {i * i % 97} of {i}, see http://a.org\n" for i in range(300)).encode()


def check(name, *args):
    schema = json.loads((SCHEMAS / f"{name}.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(brevity.command(*args)), schema)


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "data"
    path.write_bytes(TEXT)
    return path


def test_compare(data):
    check("compare", "compare", "ppmd", "gzip", "--data", data, "--json")
    check("compare", "compare", "ppmd", "ppmd", "--data", data, "--json")


def test_price(tmp_path):
    np.savez(tmp_path / "w.npz", w=np.arange(12.0).reshape(3, 4))
    check("price", "price", tmp_path / "w.npz", "--json")
    loss = "echo 100; true"
    check("price", "price", tmp_path / "w.npz", "--json", "--loss", loss)


def test_loss_log(tmp_path):
    log = tmp_path / "log.csv"
    log.write_text("bytes,bpb\n" + "".join(f"{i}000,{2 + 1 / i}\n" for i in range(1, 9)))
    check("loss-log", "prequential", "--log", log, "--json")


def test_rows_rankings_and_predictors(data, tmp_path):
    out = tmp_path / "run"
    brevity.train({"width": 8, "context": 32}, data, out=out, steps=5, batch_bytes=256)
    schema = json.loads((SCHEMAS / "rows.json").read_text())
    jsonschema.validate(json.loads((out / "results.json").read_text()), schema)
    check("rankings", "select", out, "--json")
    table = tmp_path / "models.csv"
    table.write_text("model,model_bytes,data_bits,data_bytes\na,1,2,3\nb,2,3,3\n")
    check("rankings", "select", "--table", table, "--json")


def test_our_metrics_are_a_log(data, tmp_path):
    model = brevity.train({"width": 8, "context": 32}, data, out=tmp_path / "r", steps=60,
                          batch_bytes=256)
    log = model.path.parent / "metrics.jsonl"
    printed = brevity.command(
        "prequential", "--log", log, "--unit", "bits-per-byte", "--many-passes", "--gaps", "--json"
    )
    assert json.loads(printed)["single_pass"] == "no"


def test_rank(data, tmp_path):
    model = brevity.train({"width": 8, "context": 32}, data, out=tmp_path / "m", steps=5,
                          batch_bytes=256)
    config = tmp_path / "fresh.toml"
    config.write_text(
        f"[[set]]\nname = 'one'\ndate = 2026-03-01\nsource = '{data}'\ndocument = 128\n"
        f"reference = '{data},bytes=6000'\n"
        f"[[set]]\nname = 'two'\nsource = '{data}'\nbytes = 2000\n"
        f"[[model]]\nname = 'ours'\npath = '{model.path}'\ntrained_on = '{data}'\n"
        "[[model]]\nname = 'ppmd'\ncoder = 'ppmd'\n"
        "[[model]]\nname = 'xz'\ncoder = 'xz'\n"
    )
    check("rank", "rank", config, "--out", tmp_path / "out", "--json")
