"""Gradients of an adapter under mlx autograd, for AutogradTests.

usage: mlx_gradients.py MLX_DIR ADAPTER_DIR rows.json OUT.safetensors
rows.json: [{"ids": [...], "scored": [[begin, end], ...]}, ...]; the loss is the mean over all scored
tokens. Writes the gradients under the adapter's own names, and the loss as `loss`.
"""
import json, sys
from pathlib import Path
import mlx.core as mx, mlx.nn as nn
from mlx.utils import tree_flatten
from mlx_lm.utils import load_model, load_adapters

mx.set_default_device(mx.cpu)
model, _ = load_model(Path(sys.argv[1]))
model.freeze()
load_adapters(model, sys.argv[2])
for _, module in model.named_modules():
    if hasattr(module, 'lora_a'):
        module.unfreeze(keys=['lora_a', 'lora_b', 'm'], recurse=False)
rows = json.load(open(sys.argv[3]))
count = sum(end - begin for row in rows for begin, end in row['scored'])

def loss(model):
    total = 0
    for row in rows:
        positions = [i for begin, end in row['scored'] for i in range(begin, end)]
        logits = model(mx.array([row['ids']]))[0].astype(mx.float32)
        total = total + nn.losses.cross_entropy(logits[mx.array([i - 1 for i in positions])],
                                                mx.array([row['ids'][i] for i in positions])).sum()
    return total / count

value, gradients = nn.value_and_grad(model, loss)(model)
out = {k: v.astype(mx.float32) for k, v in tree_flatten(gradients)}
out['loss'] = value.reshape(1)
mx.save_safetensors(sys.argv[4], out)
