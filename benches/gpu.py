"""Training on a GPU, checked once: the same losses as on the CPU, the speed beside JAX's
on the same device, flat memory, and an archive by the CPU path.

    cargo build --release --features wgpu
    pip install -r benches/requirements.txt "jax[cuda12]==0.10.2"   # for the JAX column
    python3 benches/gpu.py target/release/brevity FILE

FILE is text of at least 20 MB. `--device flex --batch 1 --steps 20 --memory-steps 20
--cpu-steps-25m 10` tries the script itself on a machine without a GPU. It prints one line for each check and ends with
1 if one fails.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import threading
import time

# Width, layers and heads: 3.2M and 25M parameters.
SHAPES = {"3.2M": (256, 4, 8), "25M": (512, 8, 16)}
CONTEXT = 1024


def train(args, folder, shape, device, steps, seed=0):
    """The lines of metrics.jsonl of one training, and its model's path."""
    width, layers, heads = SHAPES[shape]
    name = f"{shape}-{device}-{steps}-{seed}"
    folder, config = folder / name, folder / f"{name}.toml"
    config.write_text(f"""
name = "gpu"
[data]
source = "{args.file.resolve()}"
bytes = {args.file.stat().st_size - 65536}
[model]
preset = "brevity"
context = {CONTEXT}
width = {width}
layers = {layers}
heads = {heads}
[train]
steps = {steps}
batch_bytes = {args.batch * CONTEXT}
learning_rate = 0.01
log_steps = 10
[score]
regimes = ["held-out"]
verify = false
[data.holdout]
bytes = 65536
[sweep]
seeds = [{seed}]
""")
    command = [args.brevity, "train", config, "--device", device, "--out", folder]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    trial = next((folder / "trials").iterdir())
    lines = (trial / "metrics.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines], trial / "model.safetensors"


def losses(lines):
    return [line["loss"] for line in lines if "loss" in line]


def speed(lines):
    """Bytes a second after the first lines, in which shaders are compiled."""
    speeds = [line["bytes_per_second"] for line in lines if "bytes_per_second" in line]
    return statistics.median(speeds[len(speeds) // 3 :])


def operations(shape):
    """Operations a byte of a training step: 6 a parameter, and attention's."""
    width, layers, _ = SHAPES[shape]
    return 6 * (12 * layers * width**2 + 256 * width) + 6 * layers * CONTEXT * width


def jax_speed(args, shape):
    """Bytes a second of the same step in JAX on its default device, or nothing."""
    width, layers, heads = SHAPES[shape]
    peer = pathlib.Path(__file__).with_name("peer_jax.py")
    command = [sys.executable, peer, "--width", width, "--layers", layers, "--heads", heads]
    command += ["--context", CONTEXT, "--batch", args.batch]
    out = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if out.returncode != 0:
        return None
    return args.batch * CONTEXT / json.loads(out.stdout)["seconds_per_step"]


class Memory(threading.Thread):
    """MiB of the device in use, sampled each second."""

    def __init__(self):
        super().__init__(daemon=True)
        self.samples, self.over = [], threading.Event()

    def run(self):
        query = ["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits"]
        while not self.over.wait(1):
            try:
                out = subprocess.run(query, capture_output=True, text=True, check=True)
            except (OSError, subprocess.CalledProcessError):
                return
            self.samples.append(int(out.stdout.split()[0]))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("brevity", type=pathlib.Path)
    parser.add_argument("file", type=pathlib.Path)
    parser.add_argument("--device", default="vulkan")
    parser.add_argument("--batch", type=int, default=16, help="sequences a step")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--memory-steps", type=int, default=1000)
    # A step of 25M parameters takes a CPU many seconds.
    parser.add_argument("--cpu-steps-25m", type=int, default=20)
    args = parser.parse_args()
    temporary = tempfile.TemporaryDirectory()
    folder = pathlib.Path(temporary.name)
    failed = False

    def check(good, what):
        nonlocal failed
        failed |= not good
        print("ok    " if good else "FAILED", what, flush=True)

    for shape, cpu_steps in [("3.2M", args.steps), ("25M", args.cpu_steps_25m)]:
        start = time.perf_counter()
        lines, model = train(args, folder, shape, args.device, args.steps)
        seconds = time.perf_counter() - start
        # The same seed on both devices; another seed on the CPU gives the noise.
        cpu = losses(train(args, folder, shape, "flex", cpu_steps)[0])
        other = losses(train(args, folder, shape, "flex", cpu_steps, seed=1)[0])
        both = min(len(cpu), len(losses(lines)))
        gap = max(abs(a - b) for a, b in zip(losses(lines)[:both], cpu[:both]))
        noise = max(abs(a - b) for a, b in zip(cpu, other))
        check(gap <= noise, f"{shape}: losses differ by {gap:.4f}, between seeds by {noise:.4f}")

        ours, jax = speed(lines), jax_speed(args, shape)
        rate = f"{ours:.0f} bytes a second, {ours * operations(shape) / 1e12:.2f} TFLOP/s"
        rate += f"; {args.steps} steps with start and score {seconds:.0f} s"
        if jax is None:
            check(True, f"{shape}: {rate}; JAX did not run")
        else:
            check(ours >= jax / 4, f"{shape}: {rate}; JAX {jax:.0f}, {ours / jax:.2f} of it")

        # The weights, coded by the CPU path and decoded again.
        sample = folder / "sample"
        sample.write_bytes(args.file.read_bytes()[:65536])
        archive = folder / f"{shape}.bvy"
        command = [args.brevity, "compress", sample, "-m", model, "--external"]
        done = subprocess.run(command + ["--method", "model", "-f", "-q", "-o", archive])
        good = done.returncode == 0 and archive.stat().st_size < sample.stat().st_size
        check(good, f"{shape}: an archive of {sample.stat().st_size} bytes decodes on the CPU")

    memory = Memory()
    memory.start()
    train(args, folder, "25M", args.device, args.memory_steps)
    memory.over.set()
    # The first quarter has the start and the first buffers.
    samples = memory.samples[len(memory.samples) // 4 :]
    if samples:
        spread = max(samples) - min(samples)
        check(spread <= max(samples) / 50, f"25M: {max(samples)} MiB, {spread} apart")
    else:
        print("      25M: nvidia-smi gives no memory")
    sys.exit(failed)


main()
