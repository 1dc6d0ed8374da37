#!/usr/bin/env python3
"""Makes the odd files of this folder, and beside each what another program decodes.

Needs cjpeg (libjpeg-turbo 2.1), flac 1.4, and Pillow with libjpeg and libwebp. Pixels
of `NAME` are in `NAME.expected.png`, samples in `NAME.expected.raw`: little-endian,
signed, channels interleaved, as wide as in the file. Of the files `found_*`, which are
from elsewhere, only the second half is made.
"""
import io
import os
import struct
import subprocess
import zlib

import numpy as np
from PIL import Image

os.chdir(os.path.dirname(os.path.abspath(__file__)))
RAW = ["--force-raw-format", "--endian=little", "--sign=signed"]


def run(*args, data=None):
    return subprocess.run(args, input=data, check=True, stdout=subprocess.PIPE).stdout


def save(name, data):
    with open(name, "wb") as file:
        file.write(data)


def load(name):
    with open(name, "rb") as file:
        return file.read()


def picture(width, height):
    y, x = np.mgrid[0:height, 0:width]
    waves = [128 + 100 * np.sin(x / 7 + y / 11), 128 + 100 * np.cos(x / 9 - y / 5)]
    return np.clip(np.stack(waves + [(x * 5 + y * 3) % 256], -1), 0, 255).astype(np.uint8)


def ppm(pixels):
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PPM")
    return out.getvalue()


def jpegs():
    scans = {"planes": "0;\n1;\n2;\n", "chroma_last": "0;\n1 2;\n", "reversed": "2;\n1;\n0;\n"}
    samplings = ["2x2", "2x1", "1x2", "4x1", "1x1,2x2,2x2", "2x2,1x2,2x1", "3x1,1x1,1x1"]
    source = ppm(picture(33, 21))
    for name, script in scans.items():
        save("scans.txt", script.encode())
        for sampling in samplings:
            restart = ["-restart", "2B"] if sampling == "2x1" else []
            args = ["-quality", "90", "-sample", sampling, "-scans", "scans.txt", *restart]
            save(f"{name}_{sampling.replace(',', '_')}.jpg", run("cjpeg", *args, data=source))
    os.remove("scans.txt")
    for name, args in {
        "progressive": ["-progressive", "-sample", "2x2"],
        "progressive_odd": ["-progressive", "-sample", "2x2,1x2,2x1", "-restart", "1B"],
        "rgb": ["-rgb"],
        "coarse": ["-baseline", "-sample", "1x2", "-quality", "5"],
    }.items():
        save(f"{name}.jpg", run("cjpeg", *args, data=source))
    save("one.jpg", run("cjpeg", "-sample", "2x2", data=ppm(picture(1, 1))))
    save("grey22.jpg", run("cjpeg", "-sample", "2x2", data=ppm(picture(33, 21)[..., 0])))
    ink = np.concatenate([picture(33, 21), 255 - picture(33, 21)[..., :1]], -1)
    Image.fromarray(ink, "CMYK").save("ink.jpg", subsampling=2, progressive=True)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(name, size, depth, color, rows, extra, interlaced):
    """`rows(left, top, right, down)` gives the packed rows of a pass."""
    adam7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
             (0, 1, 1, 2)]
    steps = adam7 if interlaced else [(0, 0, 1, 1)]
    data = b"".join(b"\0" + row for step in steps for row in rows(*step))
    header = struct.pack(">IIBBBBB", *size, depth, color, 0, 0, int(interlaced))
    packed = zlib.compress(data)
    half = len(packed) // 2
    save(name, b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", packed[:half])
         + chunk(b"IDAT", b"") + chunk(b"IDAT", packed[half:]) + chunk(b"IEND", b""))


def pngs():
    width, height = 19, 11
    values = np.random.default_rng(3).integers(0, 65536, (height, width, 4))
    palette = np.random.default_rng(4).integers(0, 256, (256, 3)).astype(np.uint8)

    def rows(depth, channels):
        def of(left, top, right, down):
            for row in values[top::down, left::right, :channels]:
                if depth == 16:
                    yield row.astype(">u2").tobytes()
                    continue
                samples = row.reshape(-1) & ((1 << depth) - 1)
                bits = (samples[:, None] >> np.arange(depth - 1, -1, -1)) & 1
                yield np.packbits(bits.reshape(-1).astype(np.uint8)).tobytes()
        return of

    for color, channels, depths in [(0, 1, [1, 2, 4, 8, 16]), (2, 3, [8, 16]), (3, 1, [1, 2, 4, 8]),
                                    (4, 2, [8, 16]), (6, 4, [8, 16])]:
        for depth in depths:
            extra = chunk(b"PLTE", palette[: 1 << depth].tobytes()) if color == 3 else b""
            for interlaced in [False, True]:
                name = f"color{color}_{depth}{'_interlaced' if interlaced else ''}.png"
                of = rows(depth, channels)
                png(name, (width, height), depth, color, of, extra, interlaced)


def webps():
    pixels = picture(33, 21)
    alpha = np.concatenate([pixels, pixels[..., :1]], -1)
    Image.fromarray(pixels).save("lossy.webp", quality=80)
    Image.fromarray(pixels).save("lossless.webp", lossless=True)
    Image.fromarray(alpha).save("alpha.webp", quality=80)
    Image.fromarray(alpha).save("alpha_lossless.webp", lossless=True, exact=True)
    Image.fromarray(picture(1, 1)).save("one.webp", quality=50)


def ppms():
    colours = picture(5, 3)
    save("comments.ppm", b"P6\n#a\n#b\n 5 #c\n3\t255\n" + colours.tobytes())
    save("deep.ppm", b"P6 5 3 65535 " + (colours.astype(">u2") * 257).tobytes())
    save("ten_bits.ppm", b"P6 5 3 1023 " + (colours.astype(">u2") * 4).tobytes())
    save("coarse.pgm", b"P5\n5 3\n100\n" + (colours[..., 0] % 101).tobytes())


def sound(channels, bits, count=700):
    time = np.arange(count)[:, None] * (1 + np.arange(channels))
    wave = np.sin(time / 17) * 0.7 + np.random.default_rng(channels).normal(0, 0.02, time.shape)
    wave[0], wave[1] = -2, 2
    top = 1 << (bits - 1)
    return np.clip(np.floor(wave * top), -top, top - 1).astype(np.int64)


def packed(samples, bits, order="<"):
    wide = samples.reshape(-1).astype("<i8").view(np.uint8).reshape(-1, 8)[:, : bits // 8]
    return (wide if order == "<" else wide[:, ::-1]).tobytes()


def wav(samples, bits, order="<", rate=44100):
    channels, block = samples.shape[1], samples.shape[1] * bits // 8
    data = packed(samples + 128 if bits == 8 else samples, bits, order)
    form = struct.pack(order + "HHIIHH", 1, channels, rate, rate * block, block, bits)
    name, length = (b"RIFF" if order == "<" else b"RIFX"), order + "I"
    body = b"WAVEfmt " + struct.pack(length, 16) + form + b"data" + struct.pack(length, len(data))
    return name + struct.pack(length, len(body) + len(data)) + body + data


def flacs():
    def made(name, samples, bits, *args, rate=44100):
        form = [f"--channels={samples.shape[1]}", f"--bps={bits}", f"--sample-rate={rate}"]
        args = ["flac", "-s", "--stdout", "--no-padding", *RAW, *form, *args, "-"]
        save(name, run(*args, data=packed(samples, bits)))

    for bits in [8, 16, 24, 32]:
        made(f"bits{bits}.flac", sound(2, bits), bits, "-8", "--lax")
    made("blocks16.flac", sound(2, 16, 50), 16, "--blocksize=16", "-5")
    made("fixed.flac", sound(1, 16), 16, "-0")
    made("high_order.flac", sound(1, 24), 24, "--lax", "-l", "32", "-b", "4608")
    made("channels8.flac", sound(8, 16, 300), 16, "-5")
    made("wasted.flac", sound(2, 16) & ~15, 16, "-5")
    made("constant.flac", sound(2, 16) * 0 + 77, 16, "-5")
    made("noise.flac", np.random.default_rng(9).integers(-32768, 32768, (300, 2)), 16, "-8")
    made("no_md5.flac", sound(2, 16), 16, "--no-md5-sum")
    made("odd_rate.flac", sound(1, 16, 200), 16, "--lax", rate=9973)
    whole = load("fixed.flac")
    save("block0.flac", whole[:8] + b"\0\0" + whole[10:])


def wavs():
    for bits in [8, 16, 24, 32]:
        save(f"bits{bits}.wav", wav(sound(2, bits, 200), bits))
        save(f"bits{bits}.rifx.wav", wav(sound(2, bits, 200), bits, ">"))
    run("flac", "-s", "-f", "-d", "--force-rf64-format", "-o", "long.rf64", "bits24.flac")
    run("flac", "-s", "-f", "-d", "--force-wave64-format", "-o", "long.w64", "bits16.flac")


def reference_pixels(name):
    image = Image.open(name)
    pixels = np.array(image)
    if image.mode.startswith("I"):
        pixels = (pixels >> 8).astype(np.uint8)
    elif image.mode == "CMYK":
        ink = 255 - pixels.astype(int)
        pixels = (ink[..., :3] * ink[..., 3:] // 255).astype(np.uint8)
    elif image.mode in ("1", "L", "LA"):
        pixels = np.array(image.convert("LA"))[..., 0]
    else:
        pixels = np.array(image.convert("RGBA"))[..., :3]
    Image.fromarray(np.ascontiguousarray(pixels)).save(name + ".expected.png", optimize=True)


def reference_samples(name):
    flac = load(name)
    if name.endswith("rifx.wav"):
        # flac does not read it; the same samples lie in the little-endian file.
        flac = load(name.replace(".rifx", ""))
    if flac[-128:-125] == b"TAG":
        # It stops at the tag, with an error.
        flac = flac[:-128]
    if not name.endswith(".flac"):
        flac = run("flac", "-s", "--stdout", "--lax", "--ignore-chunk-sizes", "-", data=flac)
    save(name + ".expected.raw", run("flac", "-s", "-d", "--stdout", *RAW, "-", data=flac))


def references():
    for name in sorted(os.listdir(".")):
        if ".expected." in name:
            continue
        if name.endswith((".jpg", ".webp", ".ppm", ".pgm", ".png")):
            reference_pixels(name)
        elif name.endswith((".flac", ".wav", ".rf64", ".w64")):
            reference_samples(name)


for step in [jpegs, pngs, webps, ppms, flacs, wavs, references]:
    step()
