"""Prints the logits of every token under mlx_lm with f32 scales, one JSON array a line.

usage: mlx_logits.py MLX_DIR ID,ID,ID… [ADAPTER_DIR]
The directory needs no tokenizer.
"""
import json
import sys
from pathlib import Path

import mlx.core as mx
from mlx.utils import tree_map
from mlx_lm.utils import load_adapters, load_model

model, _ = load_model(Path(sys.argv[1]))
floats = lambda p: p.astype(mx.float32) if mx.issubdtype(p.dtype, mx.floating) else p
model.update(tree_map(floats, model.parameters()))
if len(sys.argv) > 3:
    load_adapters(model, sys.argv[3])
model.eval()
ids = [int(i) for i in sys.argv[2].split(",")]
for row in model(mx.array([ids]))[0].astype(mx.float32):
    print(json.dumps(row.tolist()))
