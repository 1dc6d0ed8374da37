"""A PyTorch GRU and an n-gram model beside a transformer of ours: scored, priced, selected,
compared. docs/outside-models.md says what each step is.

    python examples/outside_models.py FILE [FOLDER]
"""
import math
import sys
from pathlib import Path

import numpy as np
import torch

import brevity
from brevity.torch import ByteModel

CONTEXT = 128


class GRU(torch.nn.Module):
    def __init__(self, width=48):
        super().__init__()
        self.embedding = torch.nn.Embedding(256, width)
        self.gru = torch.nn.GRU(width, width, batch_first=True)
        self.out = torch.nn.Linear(width, 256)

    def forward(self, x):
        return self.out(self.gru(self.embedding(x))[0])


def trained_gru(data, steps=600, seed=0):
    torch.manual_seed(seed)
    module, data = GRU(), torch.tensor(list(data))
    optimizer = torch.optim.Adam(module.parameters(), 4e-3)
    for _ in range(steps):
        starts = torch.randint(len(data) - CONTEXT - 1, (16,))
        x = torch.stack([data[s : s + CONTEXT + 1] for s in starts])
        logits = module(x[:, :-1]).flatten(0, 1)
        loss = torch.nn.functional.cross_entropy(logits, x[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return module.eval()


class NGram:
    """Counts after the last two bytes, smoothed; `fit` as in scikit-learn."""

    name = "trigrams"

    def fit(self, data):
        rows = sorted({data[i - 2 : i] for i in range(2, len(data))})
        self.row = {row: i for i, row in enumerate(rows)}
        self.counts = np.zeros((len(rows), 256), np.int32)
        for i in range(2, len(data)):
            self.counts[self.row[data[i - 2 : i]], data[i]] += 1
        return self

    def start(self):
        self.last = b"\0\0"

    def next_logprobs(self):
        row = self.row.get(self.last)
        counts = 0.02 + (self.counts[row] if row is not None else np.zeros(256))
        return np.log(counts / counts.sum())

    def update(self, byte):
        self.last = self.last[1:] + bytes([byte])


def exact_gru(module, data):
    """-log2 p summed in 64 bits; the first byte of a chunk costs 8 bits."""
    total = 0.0
    with torch.no_grad():
        for start in range(0, len(data), CONTEXT):
            x = torch.tensor(list(data[start : start + CONTEXT]))
            rows = torch.log_softmax(module(x[None])[0].double(), -1)[:-1]
            total += 8.0 - float(rows.gather(1, x[1:, None]).sum()) / math.log(2)
    return total


def exact_ngram(model, data):
    total = 0.0
    model.start()
    for byte in data:
        total -= float(model.next_logprobs()[byte]) / math.log(2)
        model.update(byte)
    return total


def main():
    data = Path(sys.argv[1]).read_bytes()
    folder = Path(sys.argv[2] if len(sys.argv) > 2 else "outside-models")
    folder.mkdir(exist_ok=True)
    cut = len(data) * 4 // 5
    train, test = data[:cut], data[cut:]
    gru, ngram = trained_gru(train), NGram().fit(train)
    ours = brevity.train({"width": 32, "context": CONTEXT}, train, out=folder / "ours", epochs=8.0)
    predictor = ByteModel(gru, context=CONTEXT, batch=64, name="gru")

    # Scored: bits of each byte, and what they are in 64 bits.
    bits = {
        "gru": brevity.bits(predictor, test),
        "trigrams": brevity.bits(ngram, test),
        "ours": ours.bits(test),
    }
    for name, exact in [("gru", exact_gru(gru, test)), ("trigrams", exact_ngram(ngram, test))]:
        found = float(bits[name].sum(dtype=np.float64))
        print(f"{name}: {found / len(test):.6f} bits a byte, -log2 p {exact / len(test):.6f}")
    print("trigrams, coded and decoded:", brevity.score(ngram, test).coded_bytes, "bytes")

    # Priced: what the weights take with the shortest description of the test.
    def gru_loss(arrays):
        module = GRU()
        module.load_state_dict({k: torch.from_numpy(v) for k, v in arrays.items()})
        return float(brevity.bits(ByteModel(module.eval(), CONTEXT, 64), train, check=False).sum())

    weights = {
        "gru": brevity.stored_bytes(gru.state_dict(), loss=gru_loss).shortest.bytes,
        "trigrams": brevity.stored_bytes({"counts": ngram.counts})["int8"].bytes,
        "ours": brevity.stored_bytes(ours.path)["4-bit"].bytes,
    }
    for name, size in weights.items():
        print(f"{name}: {size} bytes of weights")

    # Selected: documents of 2 KB are what intervals draw.
    table = [
        {
            "model": name,
            "model_bytes": weights[name],
            "data_bits": float(bits[name][i : i + 2048].sum()),
            "data_bytes": len(test[i : i + 2048]),
            "group": i,
        }
        for name in bits
        for i in range(0, len(test), 2048)
    ]
    for one in brevity.select(table)[0].candidates:
        print(one["rank"], one["settings"], f"{one['rate']:.4f}", one["behind_ci95"])

    # Compared: byte by byte, with a page.
    (folder / "test.txt").write_bytes(test)
    torch.save(gru.state_dict(), folder / "gru.pt")
    (folder / "gru.py").write_text(
        "import sys, torch, brevity\n"
        f"sys.path.insert(0, {str(Path(__file__).parent.resolve())!r})\n"
        "from outside_models import GRU, CONTEXT\n"
        "module = GRU()\n"
        f"module.load_state_dict(torch.load({str((folder / 'gru.pt').resolve())!r}))\n"
        "from brevity.torch import ByteModel\n"
        "brevity.serve(ByteModel(module.eval(), CONTEXT, 64, name='gru'))\n"
    )
    command = f"cmd:{sys.executable} {folder / 'gru.py'}"
    page = folder / "compare.html"
    print(
        brevity.command(
            "compare", ours.path, command, "--data", folder / "test.txt", "--page", page
        ).split("\n\n")[0]
    )


if __name__ == "__main__":
    main()
