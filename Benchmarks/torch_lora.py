"""LoRA training under torch and peft on the shape of SmolLM2-135M, tokens a second, as one JSON line.

Rank 8 on all seven projections of the last 16 blocks, rows of random tokens, every token scored.
"""
import argparse
import json
import statistics
import time

import torch
from peft import LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--dtype", choices=["f32", "bf16"], default="f32")
parser.add_argument("--rows", type=int, default=4)
parser.add_argument("--tokens", type=int, default=128)
parser.add_argument("--steps", type=int, default=4)
parser.add_argument("--threads", type=int, default=2)
options = parser.parse_args()

torch.set_num_threads(options.threads)
torch.set_default_dtype({"f32": torch.float32, "bf16": torch.bfloat16}[options.dtype])
configuration = LlamaConfig(
    hidden_size=576, intermediate_size=1536, num_hidden_layers=30, num_attention_heads=9,
    num_key_value_heads=3, head_dim=64, vocab_size=49152, tie_word_embeddings=True,
    rope_theta=100000.0)
model = LlamaForCausalLM(configuration)
torch.set_default_dtype(torch.float32)
model = get_peft_model(model, LoraConfig(
    r=8, lora_alpha=160, layers_to_transform=list(range(14, 30)),
    target_modules=["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]))
optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=2e-5)
batch = torch.randint(0, configuration.vocab_size, (options.rows, options.tokens))
speeds = []
for step in range(options.steps):
    start = time.perf_counter()
    model(input_ids=batch, labels=batch).loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    if step:  # the first one warms up
        speeds.append(options.rows * options.tokens / (time.perf_counter() - start))
print(json.dumps({"tps": statistics.median(speeds)}))
