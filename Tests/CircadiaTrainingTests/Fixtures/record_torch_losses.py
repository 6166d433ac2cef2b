"""Records what torch and PEFT make of chats.jsonl, for TorchLossTests: 100 steps of LoRA training, f32.

usage: record_torch_losses.py MLX_DIR > torch-smollm2.json
MLX_DIR is the default model (circadia model pull smollm2-135m). Needs torch, transformers, peft,
safetensors and numpy; takes two minutes on two cores.

The base model is the dequantised one, in f32. A batch is the next BATCH rows in the file's order, round
and round; the loss is the mean over its scored tokens (the assistant's turns, end-of-turn tokens
included). Adam with bias correction, no clipping, no warm-up.

The initial adapter is a formula that the test computes too: element i of tensor number t (blocks in
order, in each one q k v o gate up down, of each a then b) is u = 2*hash(t, i) - 1 times 1/sqrt(inputs)
for a and times 0.001 for b. Gradients of the first step, and what the steps together changed, are recorded
by their norm and their products with two fixed vectors. The gradients are taken in float64, because torch's
own f32 is off by up to 2e-3.
"""
import json
import math
import os
import sys

import numpy as np
import torch
from peft import LoraConfig, get_peft_model
from safetensors import safe_open
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

STEPS, BATCH, RATE, RANK, SCALE, LAYERS = 100, 2, 2e-5, 8, 20.0, 16
MODULES = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj",
           "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"]


def dequantized(folder):
    """The configuration, and every tensor in f32: words hold their numbers lowest bits first."""
    with open(os.path.join(folder, "config.json")) as file:
        config = json.load(file)
    quantization = config.pop("quantization")
    config.pop("quantization_config", None)
    tensors, whole = {}, {}
    for name in sorted(os.listdir(folder)):
        if name.startswith("model") and name.endswith(".safetensors"):
            with safe_open(os.path.join(folder, name), "pt") as file:
                tensors.update({key: file.get_tensor(key) for key in file.keys()})
    for key, tensor in tensors.items():
        path, _, leaf = key.rpartition(".")
        if leaf != "weight":
            continue
        if f"{path}.scales" in tensors:
            how = quantization.get(path, quantization)
            words = tensor.view(torch.int32).numpy().view(np.uint32)[:, :, None]
            codes = words >> np.arange(0, 32, how["bits"], dtype=np.uint32) & np.uint32(2 ** how["bits"] - 1)
            rows = codes.shape[0]
            codes = torch.from_numpy(codes.astype(np.float32).reshape(rows, -1, how["group_size"]))
            steps = tensors[f"{path}.scales"].float()[:, :, None]
            edges = tensors[f"{path}.biases"].float()[:, :, None]
            tensor = (codes * steps + edges).reshape(rows, -1)
        whole[key] = tensor.float()
    return LlamaConfig(**config), whole


def uniform(tensor, count):
    """2*hash - 1 for the first `count` elements of a tensor, in float64."""
    x = (np.arange(count, dtype=np.uint64) + np.uint64(tensor) * np.uint64(0x100000001)) & np.uint64(0xFFFFFFFF)
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        x ^= x >> np.uint64(shift)
        x = (x * np.uint64(factor)) & np.uint64(0xFFFFFFFF)
    x ^= x >> np.uint64(16)
    return x.astype(np.float64) / 2**31 - 1


def read_rows(tokenizer, path):
    def render(messages, prompt=False):
        text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=prompt)
        return tokenizer(text, add_special_tokens=False).input_ids

    rows = []
    with open(path) as file:
        for messages in (json.loads(line)["messages"] for line in file):
            ids, scored = render(messages), []
            for number, message in enumerate(messages):
                if message["role"] == "assistant":
                    start = len(render(messages[:number], True))
                    scored.append([start, ids.index(tokenizer.eos_token_id, start) + 1])
            rows.append({"ids": ids, "scored": scored})
    return rows


def batch_loss(model, rows):
    """The mean over the scored tokens of all rows, and their number."""
    length = max(len(row["ids"]) for row in rows)
    ids = torch.zeros(len(rows), length, dtype=torch.long)
    mask = torch.zeros_like(ids)
    wanted = torch.full_like(ids, -100)  # what cross-entropy leaves out
    for number, row in enumerate(rows):
        values = torch.tensor(row["ids"])
        ids[number, :len(values)] = values
        mask[number, :len(values)] = 1
        for begin, end in row["scored"]:
            wanted[number, begin:end] = values[begin:end]
    logits = model(input_ids=ids, attention_mask=mask).logits[:, :-1]
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), wanted[:, 1:].flatten())
    return loss, int((wanted != -100).sum())


def in_our_layout(tensor):
    """PEFT's factors are the transposes of MLX's."""
    return tensor.detach().double().T.reshape(-1).numpy()


def summary(number, values):
    return [float(np.linalg.norm(values)), float(values @ uniform(1000 + number, values.size)),
            float(values @ uniform(2000 + number, values.size))]


def main():
    folder = sys.argv[1]
    config, weights = dequantized(folder)
    base = LlamaForCausalLM(config)
    missing, unexpected = base.load_state_dict(weights, strict=False)
    assert not unexpected and set(missing) <= {"lm_head.weight"}, (missing, unexpected)
    base.tie_weights()
    blocks = range(config.num_hidden_layers - LAYERS, config.num_hidden_layers)
    model = get_peft_model(base, LoraConfig(
        r=RANK, lora_alpha=SCALE * RANK, lora_dropout=0.0, layers_to_transform=list(blocks),
        target_modules=[module.split(".")[1] for module in MODULES]))
    named = dict(model.named_parameters())
    factors, initial = {}, {}
    for block in blocks:
        for module in MODULES:
            for ours, theirs in (("lora_a", "lora_A"), ("lora_b", "lora_B")):
                path = f"model.layers.{block}.{module}"
                factor = named[f"base_model.model.{path}.{theirs}.default.weight"]
                columns, rows = factor.shape
                bound = 1 / math.sqrt(rows) if ours == "lora_a" else 0.001
                values = (uniform(len(factors), rows * columns) * bound).astype(np.float32)
                with torch.no_grad():
                    factor.copy_(torch.from_numpy(values.reshape(rows, columns)).T)
                initial[f"{path}.{ours}"] = values.astype(np.float64)
                factors[f"{path}.{ours}"] = factor
    rows = read_rows(AutoTokenizer.from_pretrained(folder),
                     os.path.join(os.path.dirname(os.path.abspath(__file__)), "chats.jsonl"))

    model.eval().double()
    batch_loss(model, rows[:BATCH])[0].backward()
    gradients = {name: summary(number, in_our_layout(factor.grad))
                 for number, (name, factor) in enumerate(factors.items())}
    model.zero_grad()
    model.float()

    optimizer = torch.optim.Adam(factors.values(), lr=RATE)
    losses, tokens = [], []
    for step in range(STEPS):
        loss, count = batch_loss(model, [rows[(step * BATCH + i) % len(rows)] for i in range(BATCH)])
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
        tokens.append(count)
        print(f"step {step + 1}: {losses[-1]:.4f}", file=sys.stderr)
    changes = {name: summary(number, in_our_layout(factor) - initial[name])
               for number, (name, factor) in enumerate(factors.items())}
    json.dump({"steps": STEPS, "batch": BATCH, "learningRate": RATE, "rank": RANK, "scale": SCALE,
               "layers": LAYERS, "rows": rows, "losses": losses, "tokens": tokens,
               "gradients": gradients, "changes": changes}, sys.stdout)


if __name__ == "__main__":
    main()
