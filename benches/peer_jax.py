"""One training step of the same byte transformer in JAX, jitted by XLA.

`cargo bench --bench step` runs it in turn with our own step. Prints
one JSON object: seconds per step (median), processor time per step (mean), and peak
memory.

    pip install -r benches/requirements.txt
    python3 benches/peer_jax.py --width 64 --layers 4 --heads 8 --context 256

Both models of the comparison are here: `brevity` (pre-RMSNorm, RoPE, QK-norm,
squared ReLU, tied embeddings) and `lmic` (post-norm, GELU, biases). The
optimizer is AdamW through optax with global-norm gradient clipping, weights and
optimizer state donated, attention as `jax.nn.dot_product_attention`.
"""

import argparse
import json
import resource
import time

import jax
import jax.numpy as jnp
import numpy as np
import optax


def rms(x):
    return x * jax.lax.rsqrt(jnp.mean(x * x, axis=-1, keepdims=True) + 1e-6)


def layer_norm(x, p):
    mean = jnp.mean(x, axis=-1, keepdims=True)
    var = jnp.mean((x - mean) ** 2, axis=-1, keepdims=True)
    return (x - mean) * jax.lax.rsqrt(var + 1e-5) * p["scale"] + p["shift"]


def rope(x):
    half = x.shape[-1] // 2
    freq = 10000.0 ** (-jnp.arange(half) / half)
    phase = jnp.arange(x.shape[1])[:, None] * freq[None]
    cos, sin = jnp.cos(phase)[None, :, None], jnp.sin(phase)[None, :, None]
    a, b = x[..., :half], x[..., half:]
    return jnp.concatenate([a * cos - b * sin, a * sin + b * cos], axis=-1)


def attention(x, p, heads, brevity):
    batch, time_, width = x.shape
    q, k, v = jnp.split(x @ p["qkv"], 3, axis=-1)
    q, k, v = (t.reshape(batch, time_, heads, width // heads) for t in (q, k, v))
    if brevity:
        q = rope(rms(q)) * p["gain"][None, None, :, None]
        k = rope(rms(k))
    out = jax.nn.dot_product_attention(q, k, v, is_causal=True)
    return out.reshape(batch, time_, width) @ p["out"]


def mlp(x, p, brevity):
    if brevity:
        return jnp.square(jax.nn.relu(x @ p["up"])) @ p["down"]
    return jax.nn.gelu(x @ p["up"] + p["up_b"]) @ p["down"] + p["down_b"]


def loss_fn(params, tokens, targets, heads, brevity):
    width = params["embedding"].shape[1]
    x = params["embedding"][tokens]
    if not brevity:
        x = x * jnp.sqrt(float(width))
    for p in params["blocks"]:
        if brevity:
            x = x + attention(rms(x) * p["norm1"]["scale"], p, heads, brevity)
            x = x + mlp(rms(x) * p["norm2"]["scale"], p, brevity)
        else:
            x = layer_norm(x + attention(x, p, heads, brevity), p["norm1"])
            x = layer_norm(x + mlp(x, p, brevity), p["norm2"])
    if brevity:
        logits = (rms(x) * params["norm"]) @ params["embedding"].T + params["bias"]
    else:
        logits = x @ params["head"] + params["bias"]
    return optax.softmax_cross_entropy_with_integer_labels(logits, targets).mean()


def init(rng, width, layers, heads, brevity):
    w = lambda *shape: jnp.asarray(rng.normal(0, 0.02, shape), jnp.float32)
    norm = lambda: {"scale": jnp.ones(width), "shift": jnp.zeros(width)}
    block = lambda: {
        "norm1": norm(), "norm2": norm(), "gain": jnp.ones(heads),
        "qkv": w(width, 3 * width), "out": w(width, width),
        "up": w(width, 4 * width), "up_b": jnp.zeros(4 * width),
        "down": w(4 * width, width), "down_b": jnp.zeros(width),
    }
    params = {"embedding": w(256, width), "bias": jnp.zeros(256), "norm": jnp.ones(width),
              "blocks": [block() for _ in range(layers)]}
    if not brevity:
        params["head"] = w(width, 256)
    return params


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--width", type=int, required=True)
    parser.add_argument("--layers", type=int, required=True)
    parser.add_argument("--heads", type=int, required=True)
    parser.add_argument("--context", type=int, default=256)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--preset", choices=["brevity", "lmic"], default="brevity")
    parser.add_argument("--seconds", type=float, default=5.0)
    args = parser.parse_args()
    brevity = args.preset == "brevity"

    rng = np.random.default_rng(0)
    params = init(rng, args.width, args.layers, args.heads, brevity)
    optimizer = optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(1e-3, b2=0.99))
    state = optimizer.init(params)

    def step(params, state, tokens, targets):
        loss, grads = jax.value_and_grad(loss_fn)(params, tokens, targets, args.heads, brevity)
        updates, state = optimizer.update(grads, state, params)
        return optax.apply_updates(params, updates), state, loss

    step = jax.jit(step, donate_argnums=(0, 1))
    data = rng.integers(0, 256, (args.batch, args.context + 1), dtype=np.int32)
    tokens, targets = jnp.asarray(data[:, :-1]), jnp.asarray(data[:, 1:])

    times = []
    params, state, loss = step(params, state, tokens, targets)
    loss.block_until_ready()
    end = time.perf_counter() + args.seconds
    cpu = time.process_time()
    while time.perf_counter() < end or len(times) < 3:
        start = time.perf_counter()
        params, state, loss = step(params, state, tokens, targets)
        loss.block_until_ready()
        times.append(time.perf_counter() - start)
    print(json.dumps({
        "seconds_per_step": float(np.median(times)),
        "cpu_per_step": (time.process_time() - cpu) / len(times),
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "jax": jax.__version__,
    }))


main()
