"""A small PyTorch model on the CPU."""

import numpy as np
import pytest

import brevity

torch = pytest.importorskip("torch")

from brevity.torch import ByteModel  # noqa: E402

TEXT = "".join(f"line {i * i % 97} of {i}\n" for i in range(60)).encode()


class GRU(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = torch.nn.Embedding(256, 16)
        self.gru = torch.nn.GRU(16, 24, batch_first=True)
        self.out = torch.nn.Linear(24, 256)

    def forward(self, x):
        return self.out(self.gru(self.embedding(x))[0])


@pytest.fixture(scope="module")
def module():
    torch.manual_seed(0)
    return GRU()


def test_lengths_are_those_of_torch(module):
    context = 64
    bits = brevity.bits(ByteModel(module, context=context), TEXT)
    expected = np.full(len(TEXT), 8.0)
    with torch.no_grad():
        for start in range(0, len(TEXT), context):
            chunk = torch.tensor(list(TEXT[start : start + context]))
            rows = torch.log_softmax(module(chunk[None])[0].double(), -1)
            picked = rows[:-1].gather(1, chunk[1:, None])[:, 0]
            expected[start + 1 : start + len(chunk)] = -picked.numpy() / np.log(2)
    # The likeliest byte takes what rounding to integers leaves of the 255 others: 1/256 of a
    # probability of 1/256. Over all bytes that is next to nothing.
    assert np.abs(bits - expected).max() < 6e-3
    assert abs(bits.mean(dtype=np.float64) - expected.mean()) < 1e-4


def test_archives_decode(module):
    predictor = ByteModel(module, context=32, batch=8, name="gru")
    archive = brevity.compress(TEXT, predictor, method="model")
    assert brevity.decompress(archive, predictor) == TEXT
    score = brevity.score(predictor, TEXT)
    assert score.decoded and not score.notes


def test_state_dicts_are_priced(module):
    found = brevity.stored_bytes(module.state_dict())
    assert found.parameters == sum(p.numel() for p in module.parameters())


def test_another_number_of_symbols_is_told():
    with pytest.raises(ValueError, match="100 symbols"):
        ByteModel(torch.nn.Embedding(256, 100), bos=0).start(1)
