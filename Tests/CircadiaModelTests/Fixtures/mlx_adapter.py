"""Trains an adapter for four steps with mlx_lm's own trainer, and prints the logits under it.

usage: mlx_adapter.py MLX_DIR ID,ID,ID… OUT_DIR lora|dora
One JSON array a line, as mlx_logits.py prints them.
"""
import json
import sys
from pathlib import Path

import mlx.core as mx
import mlx.optimizers as optim
from mlx.utils import tree_map
from mlx_lm.tuner.trainer import TrainingArgs, train
from mlx_lm.tuner.utils import linear_to_lora_layers
from mlx_lm.utils import load_model, save_config

model, _ = load_model(Path(sys.argv[1]))
floats = lambda p: p.astype(mx.float32) if mx.issubdtype(p.dtype, mx.floating) else p
model.update(tree_map(floats, model.parameters()))
ids = [int(i) for i in sys.argv[2].split(",")]
out, kind = Path(sys.argv[3]), sys.argv[4]
out.mkdir()
parameters = {"rank": 4, "dropout": 0.0, "scale": 5.0,
              "keys": ["self_attn.q_proj", "self_attn.o_proj", "mlp.down_proj", "mlp.up_proj"]}
mx.random.seed(3)
model.freeze()
linear_to_lora_layers(model, 2, parameters, use_dora=kind == "dora")
save_config({"fine_tune_type": kind, "num_layers": 2, "lora_parameters": parameters,
             "model": "tiny", "iters": 4, "learning_rate": 0.01}, out / "adapter_config.json")
train(model, optim.Adam(learning_rate=0.01), [(ids, 0)],
      args=TrainingArgs(batch_size=1, iters=4, adapter_file=out / "adapters.safetensors"))
model.eval()
sys.stdout.flush()
print("logits")
for row in model(mx.array([ids]))[0].astype(mx.float32):
    print(json.dumps(row.tolist()))
