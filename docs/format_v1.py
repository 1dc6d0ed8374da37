#!/usr/bin/env python3
"""Decodes brevity archives of version 1 to standard output: all methods, with stored models.

Written from docs/format.md alone, as a check that the page is enough; slow. The BLAKE3
checks are left out, because Python has none: every stream must end where it should, and
the hash of the frequencies must be right.

    python3 docs/format_v1.py FILE.bvy > FILE
"""

import math
import struct
import sys

M32, M64 = 2**32 - 1, 2**64 - 1
K = 0x9E3779B97F4A7C15


def f32(x):
    """Rounds to a 32-bit float."""
    return struct.unpack("<f", struct.pack("<f", x))[0]


def bits_of(x):
    return struct.unpack("<I", struct.pack("<f", x))[0]


SCALE = f32(4096 / 24)
SQUASH = [int(2**24 / (1 + math.exp(-(i / SCALE - 12))) + 0.5) for i in range(4097)]
STRETCH = [f32(math.log((2 * i + 1) / (8191 - 2 * i))) for i in range(4096)]
LN = [f32(math.log(1 + (2 * i + 1) / 4096)) for i in range(2048)]


def squash(x):
    x = min(max(x, -12.0), 12.0)
    return SQUASH[min(int(f32(f32(f32(x + 12.0) * SCALE) + 0.5)), 4096)]


def stretch(p):
    return STRETCH[p >> 4]


def ln(n):
    b = bits_of(f32(n))
    return f32(f32(((b >> 23) - 127) * f32(math.log(2))) + LN[(b >> 12) % 2048])


def masses(frequencies, node, depth):
    """The sums of the frequencies of the bytes that go on with a zero, and a one."""
    length = 128 >> depth
    first = (node << (8 - depth)) - 256
    zero = sum(frequencies[first : first + length])
    return zero, sum(frequencies[first + length : first + 2 * length])


def power_of_two(n, least, most):
    power = 1
    while power < n:
        power *= 2
    return min(max(power, least), most)


class Chances:
    def __init__(self, guesses):
        self.c = [64 * g for g in guesses]
        self.n = [0] * len(self.c)

    def value(self, i):
        return self.c[i] >> 6

    def learn(self, i, bit):
        t = 2**22 - 1 if bit else 0
        self.c[i] += ((t - self.c[i]) * (131072 // (2 * self.n[i] + 3))) >> 16
        self.n[i] = min(self.n[i] + 1, 1023)


class Refiner:
    def __init__(self, rows):
        self.rows = rows
        self.first = [squash(f32(i * 0.5 - 7.75)) >> 8 for i in range(32)]
        self.known = {}

    def refine(self, logit, row):
        y = f32(f32(min(max(logit, f32(-7.75)), f32(7.749)) + 7.75) * 2)
        b = int(y)
        w = int(f32(f32(y - b) * 4096))
        t = self.known.setdefault(row % self.rows, list(self.first))
        self.at = (t, b + (w >= 2048))
        return (t[b] * (4096 - w) + t[b + 1] * w) >> 12

    def learn(self, bit):
        t, i = self.at
        t[i] += ((65535 if bit else 0) - t[i]) >> 6


RATES = [32768, 24000, 17500, 14000, 11600, 9900, 8700, 7700]
RATES += [7000, 6300, 5800, 5400, 5000, 4600, 4300, 4096]


def counter_learn(word, bit):
    state = word ^ 0x8000
    p, n = state >> 4, state & 15
    p += (((4095 if bit else 0) - p) * RATES[n] + 32768) >> 16
    return (p << 4 | min(n + 1, 15)) ^ 0x8000


class Lane:
    def __init__(self):
        self.r = self.word = self.before = 0
        self.at = self.length = self.byte = 0

    def hashes(self):
        words = self.word << 32 | self.before
        contexts = [self.word, (words * K & M64) >> 8]
        for i in range(2, 7):
            contexts.append((self.r & (1 << 8 * i) - 1) << (56 - 8 * i))
        return [((x ^ i << 56) * K & M64) >> 29 & M32 for i, x in enumerate(contexts)]


class Mixture:
    """The context models of a block."""

    def __init__(self, lanes, size, advised):
        self.buckets = power_of_two(4 * size, 2**10, 2**22)
        self.table = {}
        self.order1 = {}
        self.meanings = [
            Chances([1024 * (m % 64) + 512 for m in range(1024)]) for _ in range(8)
        ]
        wrong = [65535 // (i // 2 + 1) for i in range(48)]
        self.matches = Chances([65535 - w if i % 2 else w for i, w in enumerate(wrong)])
        self.matcher_bits = min(self.buckets, 2**20).bit_length() - 1
        self.matcher = {}
        first = f32(0.05 if advised else 0.15)
        start = [first] * 8 + [f32(0.15)] * 2
        start += [f32(0.6) if advised else 0.0] + [0.0] * 5 + [first] * 8
        self.weights = [[list(start) for _ in range(n)] for n in (256, 24, 256, 256, 32)]
        rows = power_of_two(8 * size, 2**10, 2**16)
        self.refiners = [Refiner(rows), Refiner(rows)]
        self.lanes = [Lane() for _ in range(lanes)]
        self.history = []

    def bucket(self, h):
        """The words of the bucket of a hash."""
        check = h >> 16
        a = ((h * 0x9E3779B1 & M32) >> 3) % self.buckets
        both = [self.table.setdefault(i, [0] * 16) for i in (a, a ^ 1)]
        for words in both:
            if words[0] == check:
                return words
        count = [(words[1] ^ 0x8000) & 15 for words in both]
        words = both[1] if count[1] < count[0] else both[0]
        words[:] = [check] + [0] * 15
        return words

    def skip(self):
        """Instead of a byte of a lane that has ended."""
        self.history.append(0)

    def byte(self, lane, code_bit, frequencies=None):
        """Decodes a byte of a lane and learns it."""
        lane = self.lanes[lane]
        c1, c2 = lane.r & 255, lane.r >> 8 & 255
        hashes = lane.hashes()
        buckets = [self.bucket(h) for h in hashes]
        node = nibble = 1
        for depth in range(8):
            if depth == 4:
                buckets = []
                for h in hashes:
                    g = (h ^ (node * 0x2F0B4C47 & M32)) * 0x85EBCA6B & M32
                    buckets.append(self.bucket(g ^ g >> 15))
                nibble = 1
            places = [(words, nibble) for words in buckets]
            self.order1.setdefault(c1 << 8 | node, 0)
            places.append((self.order1, c1 << 8 | node))
            inputs = [0.0] * 24
            inputs[11] = f32(0.4)
            states, meant = [], []
            for i, (words, at) in enumerate(places):
                state = words[at] ^ 0x8000
                states.append(words[at])
                meant.append((state & 15) << 6 | state >> 10)
                inputs[i] = stretch(self.meanings[i].value(meant[i]))
                inputs[16 + i] = stretch(state & ~15)
            expects = lane.length > 0 and (lane.byte | 256) >> (8 - depth) == node
            expected = lane.byte >> (7 - depth) & 1
            if not expects:
                match_class = 0
            elif lane.length < 16:
                match_class = lane.length + 1
            elif lane.length < 32:
                match_class = 17 + (lane.length - 16) // 4
            else:
                match_class = 21 + (lane.length - 32) // 16
            if expects:
                inputs[8] = stretch(self.matches.value(2 * match_class + expected))
                strength = min(lane.length, 32) / 16
                inputs[9] = strength if expected else -strength
            confidence = 0
            if frequencies:
                zero, one = masses(frequencies, node, depth)
                inputs[10] = f32(ln(one) - ln(zero))
                clamped = min(max(inputs[10], f32(-7.9)), f32(7.9))
                confidence = int(f32(f32(clamped * 2) + 16))

            places_of_sets = (node, match_class, c1, c2, confidence)
            selected = [sets[i] for sets, i in zip(self.weights, places_of_sets)]
            total = 0.0
            for weights in selected:
                s = [0.0] * 8
                for i, (w, x) in enumerate(zip(weights, inputs)):
                    s[i % 8] = f32(s[i % 8] + f32(w * x))
                low = f32(f32(s[0] + s[4]) + f32(s[2] + s[6]))
                high = f32(f32(s[1] + s[5]) + f32(s[3] + s[7]))
                total = f32(total + f32(low + high))
            logit = f32(total * f32(0.2))
            mixed = squash(logit)
            z = ((c1 << 8 | c2) * 0x9E35 + node * 0x3D4D) & M64
            refined = self.refiners[0].refine(logit, c1 << 8 | node)
            refined += self.refiners[1].refine(logit, z ^ z >> 13)
            p = min(max((3 * mixed + 5 * (refined << 7)) >> 3, 32), 2**24 - 32)
            bit = code_bit(p)

            step = f32(f32(bit - mixed / 2**24) * f32(0.0015))
            for weights in selected:
                for i, x in enumerate(inputs):
                    weights[i] = f32(weights[i] + f32(step * x))
            for refiner in self.refiners:
                refiner.learn(bit)
            if expects:
                self.matches.learn(2 * match_class + expected, bit)
            for i, (words, at) in enumerate(places):
                self.meanings[i].learn(meant[i], bit)
                words[at] = counter_learn(states[i], bit)
            node = node << 1 | bit
            nibble = nibble << 1 | bit
        byte = node & 255
        self.take(lane, byte)
        return byte

    def take(self, lane, byte):
        self.history.append(byte)
        lanes = len(self.lanes)
        following = len(self.history) - 1 + lanes
        lane.r = (lane.r << 8 | byte) & M64
        letter = byte + 32 if 65 <= byte <= 90 else byte
        if 97 <= letter <= 122 or letter >= 128:
            word = (lane.word ^ letter) * 0x2F0B4C47 & M32
            lane.word = (word << 5 | word >> 27) & M32
        elif lane.word:
            lane.before, lane.word = lane.word, 0

        if lane.length and lane.byte == byte:
            lane.length = min(lane.length + 1, 63)
            lane.at += lanes
        else:
            lane.length = 0
        slot = ((lane.r << 16 & M64) * K & M64) >> (64 - self.matcher_bits)
        candidate = self.matcher.get(slot, 0)
        self.matcher[slot] = following
        if lane.length == 0 and candidate:
            lane.at = candidate
            length = 0
            while length < 63:
                back = (length + 1) * lanes
                if back > candidate:
                    break
                if self.history[candidate - back] != self.history[following - back]:
                    break
                length += 1
            lane.length = length if length >= 6 else 0
        if lane.at < len(self.history):
            lane.byte = self.history[lane.at]
        else:
            lane.length = 0


class RangeDecoder:
    def __init__(self, stream):
        self.stream, self.at = stream, 0
        self.range, self.code, self.hash = M64, 0, 0
        for _ in range(8):
            self.shift()

    def shift(self):
        byte = self.stream[self.at] if self.at < len(self.stream) else 0
        self.at += 1
        self.code = (self.code << 8 | byte) & M64

    def note(self, x):
        h = (self.hash ^ x) * K & M64
        self.hash = h ^ h >> 29

    def narrow(self, offset, width):
        self.code -= offset
        self.range = width
        while self.range < 2**56:
            self.range = self.range << 8 & M64
            self.shift()

    def bit(self, p):
        self.note(p)
        bound = (self.range >> 24) * p
        if self.code < bound:
            self.narrow(0, bound)
            return 1
        self.narrow(bound, self.range - bound)
        return 0

    def symbol(self, frequencies):
        unit = self.range >> 24
        target, start = self.code // unit, 0
        for byte, f in enumerate(frequencies):
            if target < start + f:
                break
            start += f
        self.note(start << 32 | f)
        self.narrow(unit * start, unit * f)
        return byte

    def even(self):
        return self.bit(2**23)

    def ended(self):
        return self.at == len(self.stream) + 7


class Input:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        part = self.data[self.at : self.at + n]
        if len(part) < n:
            sys.exit("the archive is cut short")
        self.at += n
        return part

    def number(self, n):
        return int.from_bytes(self.take(n), "little")

    def varint(self):
        value = shift = 0
        while True:
            byte = self.number(1)
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value


class Adaptive:
    """Adaptive bits of a stored model."""

    def __init__(self):
        self.known = {}

    def code(self, decoder, i):
        c, n = self.known.get(i, (2**21, 0))
        bit = decoder.bit(min(max(c >> 6, 256), 65280) << 8)
        t = 2**22 - 1 if bit else 0
        c += ((t - c) * (131072 // (2 * n + 3))) >> 16
        self.known[i] = c, min(n + 1, 1023)
        return bit


class Integers:
    """A set of adaptive bits for integers."""

    def __init__(self):
        self.zero, self.higher, self.bits = Adaptive(), Adaptive(), Adaptive()

    def code(self, decoder, context):
        if self.zero.code(decoder, context):
            return 0
        negative = decoder.even()
        c = 0
        while c < 19 and self.higher.code(decoder, (context, c)):
            c += 1
        magnitude = 1
        for _ in range(c):
            if magnitude < 4:
                bit = self.bits.code(decoder, (c, magnitude))
            else:
                bit = decoder.even()
            magnitude = magnitude << 1 | bit
        return -magnitude if negative else magnitude


class Spec:
    def __init__(self, data):
        if data.number(1) != 1:
            sys.exit("a spec of another version")
        s = data.number(2)
        self.rms, self.post = s & 1, s >> 1 & 1
        self.position = ("sinusoidal", "learned", "rope")[s >> 2 & 3]
        self.activation = ("gelu", "gelu-erf", "relu2", "swiglu")[s >> 4 & 3]
        self.mlp_bias, self.attention_bias = s >> 6 & 1, s >> 7 & 1
        self.output_bias, self.tied = s >> 8 & 1, s >> 9 & 1
        self.scale_embedding, self.qk_norm = s >> 10 & 1, s >> 11 & 1
        self.width, self.layers, self.heads = data.varint(), data.varint(), data.varint()
        self.hidden, self.context = data.varint(), data.varint()
        self.window = data.varint() if s >> 12 & 1 else None
        self.distances = list(range(1, 1 + (data.varint() if s >> 13 & 1 else 0)))
        lag = 0
        for _ in range(data.varint() if s >> 14 & 1 else 0):
            lag += data.varint()
            self.distances.append(lag - 1)

    def tensors(self):
        """Name, rows, columns, and whether it has the bits of matrices."""
        d = self.width
        up = 2 * self.hidden if self.activation == "swiglu" else self.hidden
        yield "embedding", 256, d, True
        if self.distances:
            yield "taps", len(self.distances), d, False
        if self.position == "learned":
            yield "position", self.context, d, True

        def norm(name):
            yield name, 1, d, False
            if not self.rms:
                yield name + ".bias", 1, d, False

        def linear(name, rows, columns, bias):
            yield name, rows, columns, True
            if bias:
                yield name + ".bias", 1, columns, False

        for i in range(self.layers):
            yield from norm(f"{i}.attention_norm")
            yield from linear(f"{i}.qkv", d, 3 * d, self.attention_bias)
            if self.qk_norm:
                yield f"{i}.gain", 1, self.heads, False
            yield from linear(f"{i}.output", d, d, self.attention_bias)
            yield from norm(f"{i}.mlp_norm")
            yield from linear(f"{i}.up", d, up, self.mlp_bias)
            yield from linear(f"{i}.down", self.hidden, d, self.mlp_bias)
        if not self.post:
            yield from norm("final_norm")
        if not self.tied:
            yield "unembedding", d, 256, True
        if self.output_bias:
            yield "unembedding.bias", 1, 256, False


def half_float(bits):
    return struct.unpack("<e", struct.pack("<H", bits))[0]


def weights_of(spec, stream):
    decoder = RangeDecoder(stream)
    halves, steps = Adaptive(), Integers()
    integers = {True: Integers(), False: Integers()}
    k = 0
    weights = {}
    for name, rows, columns, matrix in spec.tensors():
        tensor = []
        if decoder.even():
            for _ in range(rows):
                row = []
                for _ in range(columns):
                    bits = 1
                    for _ in range(8):
                        bits = bits << 1 | halves.code(decoder, bits)
                    for _ in range(8):
                        bits = bits << 1 | decoder.even()
                    row.append(half_float(bits & 0xFFFF))
                tensor.append(row)
            weights[name] = tensor
            continue
        by_row = decoder.even()
        r, c = 0, [0] * columns
        for i in range(rows):
            if i == 0 or by_row:
                k += steps.code(decoder, 0)
            step = f32(2 ** (-k / 8))
            row = []
            for j in range(columns):
                m = (r + c[j]) // 2 + 8
                o = m.bit_length() - 1
                context = min(2 * (o - 3) + (m >> (o - 1) & 1), 31)
                q = integers[matrix].code(decoder, context)
                r, c[j] = (15 * r + 256 * abs(q)) // 16, (7 * c[j] + 256 * abs(q)) // 8
                row.append(f32(q * step))
            tensor.append(row)
        weights[name] = tensor
    if not decoder.ended():
        sys.exit("the model does not end with its last tensor")
    return weights


def fma(a, b, c):
    """`a * b + c` of 32-bit floats, rounded once."""
    p = a * b
    s = p + c
    back = s - p
    error = (p - (s - back)) + (c - back)
    if error:
        # Rounded to odd, a second rounding does no harm.
        bits = struct.unpack("<q", struct.pack("<d", s))[0]
        if bits & 1 == 0:
            bits += 1 if (error > 0) == (s > 0) else -1
            s = struct.unpack("<d", struct.pack("<q", bits))[0]
    return f32(s)


def chain(a, b, start=0.0):
    for x, y in zip(a, b):
        start = fma(x, y, start)
    return start


def tree(s):
    low = f32(f32(s[0] + s[4]) + f32(s[2] + s[6]))
    return f32(low + f32(f32(s[1] + s[5]) + f32(s[3] + s[7])))


def horner(x, coefficients):
    r = f32(coefficients[0])
    for c in coefficients[1:]:
        r = fma(r, x, f32(c))
    return r


LOG2_E = f32(math.log2(math.e))
ROUND = 12582912.0


def exp_fraction(x, j):
    f = fma(j, f32(-6.9314575e-1), x)
    f = fma(j, f32(-1.4286068e-6), f)
    return horner(
        f,
        (1.3780594e-3, 8.3731245e-3, 4.1669536e-2, 1.6666472e-1, 4.9999985e-1, 1.0, 1.0),
    )


def exp_negative(x):
    if x < -87.0:
        return 0.0
    j = f32(fma(x, LOG2_E, ROUND) - ROUND)
    return f32(exp_fraction(x, j) * 2.0**j)


def exp_clamped(x):
    x = max(min(x, 88.0), -87.0)
    j = f32(fma(x, LOG2_E, ROUND) - ROUND)
    return f32(exp_fraction(x, j) * 2.0**j)


def sigmoid(x):
    return f32(1 / f32(1 + exp_clamped(-x)))


def erf(x):
    t, s = abs(x), f32(x * x)
    if t < f32(0.9277344):
        c = (-5.967617e-4, 4.9911942e-3, -2.6768135e-2, 1.12819925e-1)
        return fma(horner(s, c + (-3.7612534e-1, 1.2837917e-1)), x, x)
    u = fma(f32(-3.8839644e-3), t, f32(2.4254622e-2))
    r = fma(fma(f32(-1.7285347e-5), t, f32(3.8319713e-4)), s, u)
    r = horner(t, (r, -1.0677788e-1, -6.3484687e-1, -1.2871751e-1, -t))
    return math.copysign(f32(1 - exp_clamped(-100.0 if t > 4 else r)), x)


def exp2(x):
    x = max(x, -127.0)
    j = f32(f32(x + 12583039.0) - 12583039.0)
    r = f32(x - j)
    r2 = f32(r * r)
    high = fma(f32(1.3300607e-3), r, f32(9.669691e-3))
    middle = fma(f32(5.5505585e-2), r, f32(2.4022282e-1))
    low = fma(f32(math.log(2)), r, 1.0)
    p = fma(fma(high, r2, middle), r2, low)
    return f32(p * 2.0**j) if j > -127 else 0.0


def sin_cos(phase):
    quarter = (phase + 8192) >> 14
    x = f32((phase - (quarter << 14)) * (math.tau / 65536))
    z = f32(x * x)
    s = fma(f32(-1.9515296e-4), z, f32(8.332161e-3))
    s = fma(s, z, f32(-1.6666655e-1))
    sin = fma(f32(s * z), x, x)
    c = fma(f32(2.4433157e-5), z, f32(-1.3887316e-3))
    c = fma(c, z, f32(4.1666646e-2))
    cos = fma(f32(c * z), z, fma(-0.5, z, 1.0))
    return ((sin, cos), (cos, -sin), (-sin, -cos), (-cos, sin))[quarter & 3]


def activate(kind, x):
    if kind == "relu2":
        return f32(max(x, 0.0) ** 2)
    if kind == "gelu-erf":
        half = f32(x * 0.5)
        return fma(half, erf(f32(x * f32(math.sqrt(0.5)))), half)
    u = f32(x * fma(f32(x * x), f32(0.071354814), f32(1.595769)))
    return f32(x * sigmoid(u))


class Model:
    """The forward pass of one lane."""

    def __init__(self, spec, weights):
        self.spec, self.w = spec, weights
        # Columns of matrices: what a chain runs over.
        self.columns = {name: list(zip(*rows)) for name, rows in weights.items()}
        if spec.tied:
            self.columns["unembedding"] = weights["embedding"]
        d = spec.width
        self.head = d // spec.heads
        half = self.head // 2
        turn = 65536 / math.tau
        self.turns = [max(int(turn * 10000 ** (-i / half) + 0.5), 1) for i in range(half)]
        self.restart()

    def restart(self):
        self.tokens = []
        self.keys = [[] for _ in range(self.spec.layers)]
        self.values = [[] for _ in range(self.spec.layers)]

    def linear(self, name, x):
        y = [chain(x, column) for column in self.columns[name]]
        bias = self.w.get(name + ".bias")
        return [f32(a + b) for a, b in zip(y, bias[0])] if bias else y

    def norm(self, name, x):
        gain = self.w[name][0]
        n = len(x)
        if self.spec.rms:
            mean, epsilon = 0.0, f32(1e-6)
        else:
            s = [0.0] * 8
            for i, v in enumerate(x):
                s[i % 8] = f32(s[i % 8] + v)
            mean, epsilon = f32(tree(s) / n), f32(1e-5)
        x = [f32(v - mean) for v in x]
        s = [0.0] * 8
        for i, v in enumerate(x):
            s[i % 8] = fma(v, v, s[i % 8])
        r = f32(1 / f32(math.sqrt(f32(f32(tree(s) / n) + epsilon))))
        if self.spec.rms:
            return [f32(f32(v * r) * g) for v, g in zip(x, gain)]
        bias = self.w[name + ".bias"][0]
        return [fma(f32(v * r), g, b) for v, g, b in zip(x, gain, bias)]

    def prepare(self, x, position):
        """Of a query or key: QK-norm and RoPE."""
        if self.spec.qk_norm:
            mean = f32(self.products(x, x) * f32(1 / len(x)))
            r = f32(1 / f32(math.sqrt(f32(mean + f32(1e-6)))))
            x = [f32(v * r) for v in x]
        if self.spec.position == "rope":
            x = list(x)
            half = len(x) // 2
            for i, turn in enumerate(self.turns):
                sin, cos = sin_cos(position * turn % 65536)
                a, b = x[i], x[i + half]
                x[i] = fma(b, -sin, f32(a * cos))
                x[i + half] = fma(a, sin, f32(b * cos))
        return x

    def products(self, a, b):
        return chain(a[1:], b[1:], f32(a[0] * b[0]))

    def attend(self, layer, qkv):
        d, h = self.spec.width, self.head
        keys, values = self.keys[layer], self.values[layer]
        position = len(keys)
        starts = range(0, d, h)
        keys.append([self.prepare(qkv[d + s : d + s + h], position) for s in starts])
        values.append(qkv[2 * d :])
        first = 0 if self.spec.window is None else max(position + 1 - self.spec.window, 0)
        out = []
        for head, s in enumerate(starts):
            gain = self.w[f"{layer}.gain"][0][head] if self.spec.qk_norm else 1.0
            root = f32(1 / f32(math.sqrt(h)))
            factor = f32(gain * f32(LOG2_E * root))
            query = [f32(v * factor) for v in self.prepare(qkv[s : s + h], position)]
            seen = range(first, position + 1)
            scores = [self.products(query, keys[j][head]) for j in seen]
            most = max(scores)
            sums, mixed = [0.0] * 8, [0.0] * h
            for j, score in zip(seen, scores):
                p = exp2(f32(score - most))
                sums[j % 8] = f32(sums[j % 8] + p)
                mixed = [fma(p, v, m) for v, m in zip(values[j][s : s + h], mixed)]
            low = f32(f32(sums[0] + sums[1]) + f32(sums[2] + sums[3]))
            high = f32(f32(sums[4] + sums[5]) + f32(sums[6] + sums[7]))
            inverse = f32(1 / f32(low + high))
            out += [f32(m * inverse) for m in mixed]
        return out

    def logits(self, previous):
        """Of the byte after `previous`."""
        spec = self.spec
        if spec.window is None and len(self.tokens) == spec.context:
            self.restart()
        position = len(self.tokens)
        self.tokens.append(previous if position else 0)
        x = list(self.w["embedding"][self.tokens[-1]])
        for tap, distance in enumerate(spec.distances):
            if distance <= position:
                row = self.w["embedding"][self.tokens[position - distance]]
                x = [fma(t, e, v) for t, e, v in zip(self.w["taps"][tap], row, x)]
        scale = f32(math.sqrt(spec.width)) if spec.scale_embedding else 1.0
        if spec.position == "rope":
            x = [f32(v * scale) for v in x]
        else:
            place = self.place(position)
            x = [fma(v, scale, p) for v, p in zip(x, place)]
        for layer in range(spec.layers):
            name = f"{layer}.attention_norm"
            y = x if spec.post else self.norm(name, x)
            y = self.attend(layer, self.linear(f"{layer}.qkv", y))
            y = self.linear(f"{layer}.output", y)
            x = [f32(a + b) for a, b in zip(y, x)]
            x = self.norm(name, x) if spec.post else x
            name = f"{layer}.mlp_norm"
            y = x if spec.post else self.norm(name, x)
            y = self.linear(f"{layer}.up", y)
            if spec.activation == "swiglu":
                gate, value = y[: spec.hidden], y[spec.hidden :]
                y = [f32(f32(g * sigmoid(g)) * v) for g, v in zip(gate, value)]
            else:
                y = [activate(spec.activation, v) for v in y]
            y = self.linear(f"{layer}.down", y)
            x = [f32(a + b) for a, b in zip(y, x)]
            x = self.norm(name, x) if spec.post else x
        if not spec.post:
            x = self.norm("final_norm", x)
        return self.linear("unembedding", x)

    def place(self, position):
        if self.spec.position == "learned":
            return self.w["position"][position]
        d = self.spec.width
        out = []
        for column in range(d):
            sines = d // 2 + 1
            i = column if column < sines else column - sines
            angle = position * 10000 ** (-2 * i / d)
            out.append(f32(math.sin(angle) if column < sines else math.cos(angle)))
        return out

    def frequencies(self, previous):
        z = self.logits(previous)
        most = max(z)
        e = [exp_negative(f32(x - most)) for x in z]
        s = [0.0] * 8
        for i, x in enumerate(e):
            s[i % 8] = f32(s[i % 8] + x)
        scale = f32((2**24 - 256) / tree(s))
        f = [1 + int(f32(x * scale)) for x in e]
        f[z.index(most)] += 2**24 - sum(f)
        return f


def with_model(decoder, spec, weights, raw, lanes_log2, mixed):
    u = spec.context if spec.window is None else 1
    s = min(u * -(-(-(-raw // u)) // 2**lanes_log2), raw)
    lanes = [min(s, raw - start) for start in range(0, raw, s)]
    models = [Model(spec, weights) for _ in lanes]
    out = [bytearray() for _ in lanes]
    mixture = Mixture(len(lanes), raw, True) if mixed else None
    for step in range(s):
        for lane, length in enumerate(lanes):
            if step >= length:
                if mixture:
                    mixture.skip()
                continue
            f = models[lane].frequencies(out[lane][-1] if step else 0)
            if mixture:
                byte = mixture.byte(lane, decoder.bit, f)
            else:
                byte = decoder.symbol(f)
            out[lane].append(byte)
    return b"".join(out)


def decode(data):
    archive = Input(data)
    if archive.take(3) != b"\xb7bv":
        sys.exit("not an archive")
    if archive.number(1) != 1:
        sys.exit("not of version 1")
    kind = archive.number(1)
    spec = weights = None
    if kind == 0x11:
        length = archive.varint()
        archive.take(4)
        stored = Input(archive.take(length))
        spec = Spec(stored)
        weights = weights_of(spec, stored.data[stored.at :])
    elif kind != 1:
        sys.exit("not of engine 1, or with a model that it does not hold")
    out = bytearray()
    blocks = []
    last = False
    while not last:
        start = archive.at
        tag = archive.number(1)
        method, last = tag & 3, bool(tag & 4)
        raw = archive.varint()
        if method == 0:
            archive.take(4)
            out += archive.take(raw)
        else:
            stored, frequencies = archive.varint(), archive.number(4)
            archive.take(4)
            decoder = RangeDecoder(archive.take(stored))
            if method == 1:
                mixture = Mixture(1, raw, False)
                out += bytes(mixture.byte(0, decoder.bit) for _ in range(raw))
            elif weights:
                out += with_model(decoder, spec, weights, raw, tag >> 4, method == 3)
            else:
                sys.exit("a block needs a model, and the archive holds none")
            if (decoder.hash >> 32 ^ decoder.hash & M32) != frequencies:
                sys.exit("other frequencies than the encoder's")
            if not decoder.ended():
                sys.exit("the stream does not end with its bytes")
        blocks.append((raw, archive.at - start))
    if len(blocks) > 1:
        start = archive.at
        if [(archive.varint(), archive.varint()) for _ in blocks] != blocks:
            sys.exit("the index does not match the blocks")
        if archive.at - start != archive.number(4):
            sys.exit("the index is not as long as it says")
        archive.take(4)
    archive.take(12)
    if archive.at != len(data):
        sys.exit("there is something after the end")
    return bytes(out)


if __name__ == "__main__":
    with open(sys.argv[1], "rb") as file:
        sys.stdout.buffer.write(decode(file.read()))
