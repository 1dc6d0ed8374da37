"""Predictors, learners, weights: of other programs."""

import sys
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

import brevity

TEXT = "".join(f"line {i * i % 97} of {i}\n" for i in range(300)).encode()


class NGram:
    """Counts of bytes after the same two bytes, fitted before."""

    name = "trigrams"

    def __init__(self, data):
        self.counts = defaultdict(lambda: np.full(256, 1 / 256))
        for i in range(2, len(data)):
            self.counts[data[i - 2 : i]][data[i]] += 1

    def start(self):
        self.last = b"\0\0"

    def next_logprobs(self):
        counts = self.counts[self.last]
        return np.log(counts / counts.sum())

    def update(self, byte):
        self.last = self.last[1:] + bytes([byte])


class Learning(NGram):
    """The same, which counts as it goes."""

    def __init__(self):
        super().__init__(b"")

    def start(self):
        super().start()
        self.counts.clear()

    def update(self, byte):
        self.counts[self.last][byte] += 1
        super().update(byte)


class Uniform(brevity.Predictor):
    name, streams, context = "uniform", 32, 256

    def start(self, streams):
        return np.full((streams, 256), -np.log(256.0), np.float32)

    def take(self, blocks):
        return np.full((*blocks.shape, 256), -np.log(256.0), np.float32)


def exact(predictor, data):
    """Minus the sum of binary logarithms, in 64 bits."""
    predictor.start()
    bits = 0.0
    for byte in data:
        bits -= predictor.next_logprobs()[byte] / np.log(2)
        predictor.update(byte)
    return bits


def test_lengths_are_those_of_the_probabilities():
    for predictor in [NGram(TEXT), Learning()]:
        expected = exact(predictor, TEXT)
        bits = brevity.bits(predictor, TEXT)
        assert abs(bits.sum(dtype=np.float64) - expected) < 1e-3 * len(TEXT)
        score = brevity.score(predictor, TEXT, model_bytes=500)
        assert score.decoded and not score.notes
        assert abs(score.data_bits - expected) < 1e-3 * len(TEXT)
        assert 0 <= score.coded_bytes - expected / 8 <= 3
        assert score.adjusted_rate == (score.coded_bytes + 500) / len(TEXT)


def test_archives_need_their_predictor():
    archive = brevity.compress(TEXT, NGram(TEXT))
    assert brevity.decompress(archive, NGram(TEXT)) == TEXT
    with pytest.raises(brevity.ArchiveError, match="predictor"):
        brevity.decompress(archive)
    with pytest.raises(brevity.ArchiveError, match="other probabilities"):
        brevity.decompress(archive, NGram(TEXT[:1000]))


def test_blocks_are_fast_enough():
    data = bytes(200_000)
    start = time.process_time()
    bits = brevity.bits(Uniform(), data)
    assert bits.tolist() == [8.0] * len(data)
    # 20,000 bytes a second at the least.
    assert time.process_time() - start < 10


def faulty(**change):
    class Faulty(Uniform):
        pass

    for name, value in change.items():
        setattr(Faulty, name, value)
    return Faulty()


def rows(value):
    def take(self, blocks):
        out = np.full((*blocks.shape, 256), -np.log(256.0), np.float32)
        out[..., 7] = value
        return out

    return take


def ahead(self, blocks):
    out = np.full((*blocks.shape, 256), np.log(0.5 / 255), np.float32)
    following = np.concatenate([blocks[:, 1:], blocks[:, -1:]], axis=1)
    np.put_along_axis(out, following[..., None].astype(int), np.log(0.5), axis=2)
    return out


@pytest.mark.parametrize(
    "change, says",
    [
        ({"take": rows(np.nan)}, "byte 7 is NaN"),
        ({"take": rows(-np.inf)}, "byte 7 is -inf"),
        ({"take": rows(3.0)}, "probabilities sum to 2"),
        ({"take": lambda self, blocks: np.zeros((*blocks.shape, 257))}, "257"),
        ({"take": lambda self, blocks: np.zeros(3, int)}, "not floats"),
        ({"take": lambda self, blocks: 1 / 0}, "ZeroDivisionError"),
        ({"take": ahead}, "reads ahead"),
        ({"streams": 0}, "0 streams"),
    ],
)
def test_faults_are_named(change, says):
    with pytest.raises(brevity.PredictorError, match=says):
        brevity.bits(faulty(**change), TEXT)


def test_what_is_no_predictor_is_told():
    with pytest.raises(TypeError, match="next_logprobs"):
        brevity.bits(object(), TEXT)


def test_prequential_of_steps_and_of_blocks():
    steps = brevity.prequential(Learning, TEXT)
    assert abs(steps.data_bits - exact(Learning(), TEXT)) < 1e-3 * len(TEXT)

    class Blocks:
        """Counts of single bytes, learned block by block."""

        def __init__(self):
            self.counts = np.ones(256)

        def logprobs(self, block):
            return np.tile(np.log(self.counts / self.counts.sum()), (len(block), 1))

        def learn(self, block):
            self.counts += np.bincount(block, minlength=256)

    found = brevity.prequential(Blocks, TEXT, block=500)
    assert found.bits[:500].tolist() == [8.0] * 500 and found.bits_per_byte < 8
    curve = found.curve(10)
    assert len(curve) == 10 and curve[-1][0] == len(TEXT)
    Blocks.logprobs = lambda self, block: np.log(np.eye(256)[block] * 0.5 + 0.5 / 256)
    with pytest.raises(brevity.PredictorError, match="reads ahead"):
        brevity.prequential(Blocks, TEXT)


def test_a_program_serves_the_command(tmp_path):
    (tmp_path / "data").write_bytes(TEXT)
    program = tmp_path / "model.py"
    program.write_text(
        "import brevity, numpy as np\n"
        "class Uniform(brevity.Predictor):\n"
        "    name, streams, context = 'uniform', 8, 64\n"
        "    def start(self, streams):\n"
        "        return np.full((streams, 256), -np.log(256.0), np.float32)\n"
        "    def take(self, blocks):\n"
        "        print('this goes to standard error')\n"
        "        return np.full((*blocks.shape, 256), -np.log(256.0), np.float32)\n"
        "brevity.serve(Uniform())\n"
    )
    command = f"{sys.executable} {program}"
    table = brevity.command("score", "--predictor", command, "--data", tmp_path / "data")
    assert "uniform" in table and "8.0000" in table and "decoded" in table


def test_weights_are_priced(tmp_path):
    random = np.random.default_rng(0)
    state = {
        "w": random.normal(0, 0.1, (64, 48)).astype(np.float32),
        "conv": random.normal(0, 0.1, (8, 4, 3, 3)),
        "bias": random.normal(0, 0.1, 48).astype(np.float16),
        "batches": np.array(1234),
    }
    found = brevity.stored_bytes(state)
    assert found.parameters == 64 * 48 + 288 + 48 + 1 and found.fp16 == 2 * found.parameters
    assert found["4-bit"].bytes < found["int8"].bytes < found["fp16"].bytes <= 1.1 * found.fp16
    np.savez(tmp_path / "w.npz", **state)
    assert brevity.stored_bytes(tmp_path / "w.npz")["int8"].bytes == found["int8"].bytes
    printed = brevity.command("price", tmp_path / "w.npz")
    assert str(found["int8"].bytes) in printed
    safetensors = pytest.importorskip("safetensors.numpy")
    safetensors.save_file(state, tmp_path / "w.safetensors")
    again = brevity.stored_bytes(tmp_path / "w.safetensors")["int8"].bytes
    assert str(again) in brevity.command("price", tmp_path / "w.safetensors")
    (tmp_path / "short").write_bytes((tmp_path / "w.safetensors").read_bytes()[:-1])
    for bad, says in [("short", "does not lie in the file"), (__file__, "no safetensors file")]:
        with pytest.raises(brevity.WeightsError, match=says):
            brevity.stored_bytes(tmp_path / bad)

    true = state["w"].astype(np.float64)

    def loss(arrays):
        assert arrays["w"].shape == (64, 48) and arrays["w"].dtype == np.float32
        return 1e6 * ((arrays["w"] - true) ** 2).sum() + 1000

    best = brevity.stored_bytes({"w": state["w"]}, loss=loss)
    assert best.exact_data_bits == pytest.approx(1000, abs=1)
    assert best.shortest.total_bytes <= 1.01 * min(c.total_bytes for c in best.coded)
    for bad, says in [
        ({"m": np.zeros(3, bool)}, "bool"),
        ({"c": np.zeros(3, complex)}, "complex"),
        ({"n": np.array([np.nan])}, "NaN"),
        ({}, "no weights"),
    ]:
        with pytest.raises(brevity.WeightsError, match=says):
            brevity.stored_bytes(bad)
    with pytest.raises(ZeroDivisionError):
        brevity.stored_bytes(state, loss=lambda arrays: 1 / 0)


def test_the_reference_program_is_the_class(tmp_path):
    program = Path(__file__).parents[2] / "examples" / "predictor.py"
    if not program.exists():
        pytest.skip("the source tree is not here")
    (tmp_path / "data").write_bytes(TEXT)
    table = brevity.command(
        "score", "--predictor", f"{sys.executable} {program}", "--data", tmp_path / "data"
    )
    assert "counts of order 2" in table and "decoded" in table


class Words:
    """Counts after the last four bytes, which learn texts by heart."""

    def __init__(self, data):
        self.counts = defaultdict(lambda: np.full(256, 1 / 256))
        for i in range(4, len(data)):
            self.counts[data[i - 4 : i]][data[i]] += 1

    def start(self):
        self.last = b"\0" * 4

    def next_logprobs(self):
        counts = self.counts[self.last]
        return np.log(counts / counts.sum())

    def update(self, byte):
        self.last = self.last[1:] + bytes([byte])


def test_leaks_are_measured_for_any_learner():
    random = np.random.default_rng(1)
    words = [bytes(random.integers(97, 123, 5).tolist()) for _ in range(200)]
    text = b" ".join(words[i] for i in random.integers(0, 200, 2400))
    train, test, clean = text[:8000], text[8000:11000], text[11000:]
    found = brevity.contamination(Words, train, test, clean, doses=(1, 4), skip_words=(0, 6),
                                  model_bytes=lambda predictor: 1000)
    twin, one, four, edited, _ = found.leaks
    assert twin.to_twin is None and twin.overlap.in_long_matches < 0.1
    assert four.test_bits < one.test_bits < twin.test_bits and one.to_twin < 0
    # All but the words that the cut goes through.
    assert one.overlap.ngram13 > 0.99 and one.min_k_auc > 0.9
    assert edited.overlap.ngram13 == 0 and edited.overlap.spaced > 0.4
    coded = np.ceil(twin.test_bits * len(test) / 8 - 1e-6)
    assert twin.adjusted_rate == pytest.approx((coded + 1000) / len(test))
    assert found.to_pandas().shape[0] == 5
    with pytest.raises(ValueError, match="1024 bytes"):
        brevity.contamination(Words, train, b"short", clean)


def test_a_table_has_models_and_coders():
    sets = {"lines": TEXT, "noise": np.random.default_rng(0).integers(0, 256, 3000, np.uint8)}
    found = brevity.table(sets, {"trigrams": (NGram(TEXT), 500), "uniform": Uniform()})
    rates = found.to_pandas()
    assert rates.loc["uniform"].tolist() == [1.0, 1.0]
    assert rates.loc["trigrams", "lines"] < 0.5 and rates.loc["gzip -9", "noise"] > 1
    adjusted = found.to_pandas("adjusted_rate")
    gap = adjusted.loc["trigrams", "lines"] - rates.loc["trigrams", "lines"]
    assert gap == pytest.approx(500 / len(TEXT))
    with pytest.raises(ValueError, match="no bytes"):
        brevity.table({"empty": b""}, {})
