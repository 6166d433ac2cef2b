"""LoRA training under torch and peft, tokens a second, as one JSON line.

On the shape of SmolLM2-135M, or with --shape on that of a config.json, with random weights; rank 8 on all
seven projections of the last 16 blocks, rows of random tokens, every token scored.
"""
import argparse
import json
import statistics
import time

import torch
from peft import LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM
from transformers.initialization import no_init_weights

SMOLLM2 = {
    "hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": 30,
    "num_attention_heads": 9, "num_key_value_heads": 3, "head_dim": 64, "vocab_size": 49152,
    "tie_word_embeddings": True, "rope_theta": 100000.0,
}

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--shape", help="a config.json")
parser.add_argument("--dtype", choices=["f32", "bf16"], default="f32")
parser.add_argument("--rows", type=int, default=4)
parser.add_argument("--tokens", type=int, default=128)
parser.add_argument("--steps", type=int, default=4)
parser.add_argument("--threads", type=int, default=2)
options = parser.parse_args()

torch.set_num_threads(options.threads)
torch.set_default_dtype({"f32": torch.float32, "bf16": torch.bfloat16}[options.dtype])
shape = SMOLLM2
if options.shape:
    with open(options.shape) as file:
        shape = {key: value for key, value in json.load(file).items() if key != "quantization"}
configuration = LlamaConfig(**shape)
with no_init_weights():
    model = LlamaForCausalLM(configuration)
for parameter in model.parameters():
    # Memory that was never written is one page of zeros, read from cache.
    parameter.data.uniform_(-0.03, 0.03)
torch.set_default_dtype(torch.float32)
blocks = configuration.num_hidden_layers
model = get_peft_model(model, LoraConfig(
    r=8, lora_alpha=160, layers_to_transform=list(range(blocks - 16, blocks)),
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
