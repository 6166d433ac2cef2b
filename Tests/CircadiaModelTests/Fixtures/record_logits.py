"""Records what mlx_lm predicts, with f32 scales, for smollm2_logits.json.

usage: record_logits.py MLX_DIR > smollm2_logits.json
Each prompt: its token ids and, after the last of them, the 20 largest logits and the log of the sum of all exp(logit).
"""
import json
import sys

import mlx.core as mx
from mlx.utils import tree_map
from mlx_lm import load

PROMPTS = [
    "The capital of France is",
    "def fibonacci(n):\n    if n < 2:\n        return",
    "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face"
    "<|im_end|>\n<|im_start|>user\nWhat is 12 + 30?<|im_end|>\n<|im_start|>assistant\n",
    "Once upon a time, in a small village by the sea, there lived an old fisherman who",
    "1, 2, 3, 4, 5, 6, 7, 8,",
    "Les enfants jouent dans le jardin pendant que leur mère",
    "SELECT name, COUNT(*) FROM orders WHERE total > 100 GROUP BY",
    "In 1969, the first humans landed on the Moon. " * 8 + "The mission was called",
]

model, tokenizer = load(sys.argv[1])
floats = lambda p: p.astype(mx.float32) if mx.issubdtype(p.dtype, mx.floating) else p
model.update(tree_map(floats, model.parameters()))
records = []
for prompt in PROMPTS:
    ids = tokenizer.encode(prompt, add_special_tokens=False)
    logits = model(mx.array([ids]))[0, -1].astype(mx.float32)
    order = mx.argsort(-logits)[:20].tolist()
    records.append({
        "ids": ids,
        "top": [[i, round(logits[i].item(), 5)] for i in order],
        "logSum": round(mx.logsumexp(logits).item(), 5),
    })
print("[\n" + ",\n".join(json.dumps(r) for r in records) + "\n]")
