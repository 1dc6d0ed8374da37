"""Small random models of every family, as Hugging Face folders with the logits that
`transformers` computes for them. Run in this folder; needs torch and transformers.

Weights are rounded to bfloat16, so that a model is a few kilobytes, and computed with
in single precision.
"""

import json
import os

import numpy as np
import torch
import transformers as tf

VOCABULARY = 40
BASE = dict(
    vocab_size=VOCABULARY,
    hidden_size=16,
    intermediate_size=24,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    max_position_embeddings=64,
    bos_token_id=0,
    eos_token_id=0,
    pad_token_id=0,
)
NEOX = {k: v for k, v in BASE.items() if k != "num_key_value_heads"} | dict(hidden_size=32)
GEMMA = BASE | dict(head_dim=8)
LLAMA3 = dict(
    rope_type="llama3",
    rope_theta=500000.0,
    factor=8.0,
    low_freq_factor=1.0,
    high_freq_factor=4.0,
    original_max_position_embeddings=16,
)

FAMILIES = {
    "llama": (tf.LlamaForCausalLM, tf.LlamaConfig(**BASE, rope_theta=50000.0)),
    "llama3": (
        tf.LlamaForCausalLM,
        tf.LlamaConfig(
            **BASE | dict(num_attention_heads=2, num_key_value_heads=1),
            attention_bias=True,
            tie_word_embeddings=True,
            rope_scaling=LLAMA3,
        ),
    ),
    "mistral": (tf.MistralForCausalLM, tf.MistralConfig(**BASE, head_dim=8, sliding_window=9)),
    "qwen2": (tf.Qwen2ForCausalLM, tf.Qwen2Config(**BASE)),
    "qwen3": (tf.Qwen3ForCausalLM, tf.Qwen3Config(**BASE, head_dim=6)),
    "gpt2": (
        tf.GPT2LMHeadModel,
        tf.GPT2Config(
            vocab_size=VOCABULARY,
            n_embd=16,
            n_layer=2,
            n_head=4,
            n_positions=64,
            bos_token_id=0,
            eos_token_id=0,
        ),
    ),
    "gpt-neox": (tf.GPTNeoXForCausalLM, tf.GPTNeoXConfig(**NEOX)),
    "gpt-neox-sequential": (
        tf.GPTNeoXForCausalLM,
        tf.GPTNeoXConfig(**NEOX, use_parallel_residual=False),
    ),
    "olmo2": (tf.Olmo2ForCausalLM, tf.Olmo2Config(**BASE)),
    "gemma": (tf.GemmaForCausalLM, tf.GemmaConfig(**GEMMA)),
    "gemma2": (
        tf.Gemma2ForCausalLM,
        tf.Gemma2Config(
            **GEMMA,
            sliding_window=9,
            query_pre_attn_scalar=12,
            attn_logit_softcapping=2.0,
            final_logit_softcapping=3.0,
        ),
    ),
    "gemma3": (
        tf.Gemma3ForCausalLM,
        tf.Gemma3TextConfig(
            **GEMMA | dict(num_hidden_layers=7), sliding_window=9, query_pre_attn_scalar=12
        ),
    ),
}


def tokenizer():
    """One token a character, `▁` for the space, and the start of a text."""
    tokens = ["<s>"] + list("\u2581abcdefghijklmnopqrstuvwxyz.,\n0123456789")[: VOCABULARY - 1]
    return {
        "model": {"type": "BPE", "vocab": {t: i for i, t in enumerate(tokens)}, "merges": []},
        "added_tokens": [{"id": 0, "content": "<s>", "special": True}],
    }


def main():
    torch.manual_seed(0)
    ids = np.random.RandomState(1).randint(1, VOCABULARY, 40)
    ids[0] = 0
    ids.astype("<u4").tofile("ids.u32")
    for name, (kind, config) in FAMILIES.items():
        config._attn_implementation = "eager"
        model = kind(config).eval().float()
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.dim() == 1:
                    parameter.add_(torch.randn_like(parameter) * 0.2)
                else:
                    parameter.copy_(torch.randn_like(parameter) / parameter.shape[-1] ** 0.5)
                parameter.copy_(parameter.bfloat16().float())
            logits = model(torch.tensor(ids)[None]).logits[0].numpy()
        model.bfloat16().save_pretrained(name)
        logits.astype("<f4").tofile(f"{name}/logits.f32")
        with open(f"{name}/tokenizer.json", "w") as file:
            json.dump(tokenizer(), file)
        for extra in ["generation_config.json"]:
            if os.path.exists(f"{name}/{extra}"):
                os.remove(f"{name}/{extra}")
        print(name, logits.shape, np.abs(logits).max())


main()
