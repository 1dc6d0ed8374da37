"""Our own models: bits, streams, archives, and the command beside them."""

import json
import os
import signal
import threading
import time

import numpy as np
import pytest

import brevity

TEXT = "".join(f"line {i * i % 97} of {i}\n" for i in range(600)).encode()


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    out = tmp_path_factory.mktemp("run") / "tiny"
    return brevity.train({"width": 8, "context": 32}, TEXT, out=out, steps=20, batch_bytes=256)


def test_bits_are_those_of_the_command(model, tmp_path):
    (tmp_path / "data").write_bytes(TEXT)
    printed = brevity.command(
        "score", model.path, "--data", tmp_path / "data", "--estimate", "--json"
    )
    bits = model.bits(TEXT)
    assert bits.dtype == np.float32 and bits.shape == (len(TEXT),)
    expected = json.loads(printed)["bits_per_byte"]
    assert model.bits_per_byte(TEXT) == pytest.approx(expected, rel=1e-12)
    assert abs(bits.sum(dtype=np.float64) / len(TEXT) - model.bits_per_byte(TEXT)) < 1e-6
    assert brevity.bits(model, TEXT).tolist() == bits.tolist()
    assert model.parameters > 0 and model.context == 32 and model.spec["width"] == 8


def test_a_stream_gives_the_same_probabilities(model):
    stream, bits = model.stream(), []
    for byte in TEXT[:100]:
        bits.append(-stream.next_logprobs()[byte] / np.log(2))
        stream.feed(bytes([byte]))
    assert len(stream) == 100
    assert np.abs(np.array(bits) - model.bits(TEXT[:100])).max() < 1e-3
    at_once = model.stream().feed(TEXT[:100]).next_byte_logits()
    assert at_once.tolist() == stream.next_byte_logits().tolist()


def test_archives_decode(model, tmp_path):
    for options in [
        {},
        {"model": model},
        {"model": model, "external": True},
        {"model": model, "bits": 4, "method": "model"},
    ]:
        archive = brevity.compress(TEXT, **options)
        needed = model if options.get("external") else None
        assert brevity.decompress(archive, needed) == TEXT
    (tmp_path / "a.bvy").write_bytes(brevity.compress(TEXT))
    assert brevity.command("decompress", "-c", tmp_path / "a.bvy", binary=True) == TEXT
    external = brevity.compress(TEXT, model, external=True)
    with pytest.raises(brevity.ModelError, match="does not hold"):
        brevity.decompress(external)
    damaged = bytearray(archive)
    damaged[-20] ^= 1
    with pytest.raises(brevity.ArchiveError, match="damaged"):
        brevity.decompress(bytes(damaged))
    with pytest.raises(ValueError, match="bits is 99"):
        brevity.compress(TEXT, model, bits=99)


def test_generate_repeats(model):
    first = model.generate(b"line ", 20, seed=3)
    assert len(first) == 20 and first == model.generate(b"line ", 20, seed=3)
    with pytest.raises(ValueError, match="empty"):
        model.generate(b"")


def test_what_is_no_model_is_told(tmp_path):
    with pytest.raises(brevity.ModelError, match="nowhere"):
        brevity.load(tmp_path / "nowhere.safetensors")
    with pytest.raises(TypeError, match="encode"):
        brevity.compress("text")
    with pytest.raises(TypeError, match="float64"):
        brevity.compress(np.zeros(3))
    with pytest.raises(brevity.CommandError) as raised:
        brevity.command("compress", tmp_path / "nowhere")
    assert raised.value.status == 1 and "nowhere" in str(raised.value)


def test_sweep_critical_and_select(tmp_path):
    (tmp_path / "data").write_bytes(TEXT)
    config = {
        "name": "sizes",
        "data": {"source": tmp_path / "data"},
        "model": {"context": 32},
        "train": {"steps": 5, "batch_bytes": 256},
        "score": {"verify": False},
        "sweep": {"grid": {"model": {"width": [8, 16]}}},
    }
    found = brevity.sweep(config, tmp_path / "out", show=False)
    assert len(found) == 2 and all(row["state"] == "done" for row in found.rows)
    assert found.to_pandas().shape[0] == 2 and len(found.models()) == 2
    ranking = brevity.select(found)[0]
    assert ranking.best.startswith("width") and len(ranking.candidates) == 2
    points = [
        {"parameters": n, "data_bytes": 1e6, "bits_per_byte": 2 + 60 * n**-0.4}
        for n in (1e4 * 2**i for i in range(8))
    ]
    (size,) = brevity.critical(points)
    assert abs(size.n_star / 25770 - 1) < 0.02 and len(size.ci95) == 2
    models = [
        {"model": "a", "model_bytes": 100, "data_bits": 9000, "data_bytes": 2000},
        {"model": "b", "model_bytes": 900, "data_bits": 4000, "data_bytes": 2000},
    ]
    (ranking,) = brevity.select(models)
    assert ranking.best == "model a" and ranking.to_pandas().shape[0] == 2


def test_baselines_and_overlap():
    coders = {one.coder: one.bytes for one in brevity.baselines(TEXT)}
    assert coders["xz -6"] < len(TEXT)
    assert brevity.overlap(TEXT, TEXT[100:400]).in_long_matches == 1.0


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_an_interrupt_stops_the_work():
    class Slow:
        def start(self):
            pass

        def next_logprobs(self):
            time.sleep(0.002)
            return np.full(256, -np.log(256.0))

        def update(self, byte):
            pass

    threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    start = time.time()
    with pytest.raises(KeyboardInterrupt):
        brevity.bits(Slow(), bytes(100_000), check=False)
    assert time.time() - start < 60
