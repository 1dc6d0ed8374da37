"""A predictor for `brevity score --predictor` and `brevity compress --predictor`: the
protocol of docs/predictors.md with the standard library alone.

It predicts from counts of bytes after the same two bytes, which it makes as it goes:

    brevity score --predictor "python examples/predictor.py" --data README.md

With the package installed, `brevity.serve(predictor)` speaks the protocol for you.
"""
import math
import struct
import sys
from collections import defaultdict

NAME = b"counts of order 2"


class Counts:
    def __init__(self):
        self.after, self.last = defaultdict(lambda: [0] * 256), b"\0\0"

    def next(self):
        """Log-probabilities (nats) of the next byte."""
        counts = self.after[self.last]
        total = math.log(sum(counts) + 1)
        logs = {count: math.log(count + 1 / 256) - total for count in set(counts)}
        return struct.pack("<256f", *(logs[count] for count in counts))

    def take(self, byte):
        self.after[self.last][byte] += 1
        self.last = self.last[1:] + bytes([byte])


def main(read=sys.stdin.buffer.read, out=sys.stdout.buffer):
    read(12)  # "brevity", version 1, 256 symbols
    # Symbols, context (none: it never starts anew), streams, length of the name.
    out.write(b"brevity\x01" + struct.pack("<4I", 256, 0, 1, len(NAME)) + NAME)
    out.flush()
    streams = []
    while kind := read(1):
        (count,) = struct.unpack("<I", read(4))
        if kind == b"S":
            streams = [Counts() for _ in range(count)]
            out.writelines(stream.next() for stream in streams)
        else:
            for stream in streams:
                for byte in read(count):
                    stream.take(byte)
                    out.write(stream.next())
        out.flush()


main()
