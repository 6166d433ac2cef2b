"""What mlx_lm.lora makes of chats.jsonl: the losses of 20 steps, for MLXCompatibilityTests.

usage: mlx_lora.py MLX_DIR OUT.json
MLX_DIR has the default model's tokenizer. Runs mlx_lm.lora's own functions: its dataset, its order of
batches, its padding, mask and optimiser. There are fewer rows than 20 steps need, one that no batch
takes, and enough validation rows to draw from the same random numbers.

The initial adapter is that of record_torch_losses.py: element i of tensor number t (blocks in order, in
each one q k v o gate up down, of each a then b) is u = 2*hash(t, i) - 1 times 1/sqrt(inputs) for a and
times 0.001 for b.
"""
import json
import math
import sys
import tempfile
import types
from pathlib import Path

import mlx.core as mx
import numpy as np
from mlx_lm import lora
from mlx.utils import tree_map
from mlx_lm.tuner.callbacks import TrainingCallback
from mlx_lm.utils import dequantize_model

SEED, STEPS, BATCH, RATE, RANK, SCALE, LAYERS, LENGTH = 5, 20, 2, 2e-4, 8, 20.0, 2, 60


def uniform(tensor, count):
    """2*hash - 1 for the first `count` elements of a tensor, in float64."""
    x = (np.arange(count, dtype=np.uint64) + np.uint64(tensor) * np.uint64(0x100000001)) & np.uint64(0xFFFFFFFF)
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        x ^= x >> np.uint64(shift)
        x = (x * np.uint64(factor)) & np.uint64(0xFFFFFFFF)
    x ^= x >> np.uint64(16)
    return x.astype(np.float64) / 2**31 - 1


class Losses(TrainingCallback):
    def __init__(self):
        self.values = []

    def on_train_loss_report(self, info):
        self.values.append(info["train_loss"])

    def on_val_loss_report(self, info):
        pass


def initial(model):
    tensors, number = {}, 0
    blocks = len(model.layers)
    for block in range(blocks - LAYERS, blocks):
        for module in ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj",
                       "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"):
            part = model.layers[block]
            for name in module.split("."):
                part = getattr(part, name)
            columns, rows = part.weight.shape
            for leaf, shape, bound in (("lora_a", (rows, RANK), 1 / math.sqrt(rows)),
                                       ("lora_b", (RANK, columns), 0.001)):
                values = uniform(number, shape[0] * shape[1]) * bound
                tensors[f"model.layers.{block}.{module}.{leaf}"] = mx.array(values.astype(np.float32).reshape(shape))
                number += 1
    return tensors


chats = (Path(__file__).parent / "chats.jsonl").read_text().splitlines()
with tempfile.TemporaryDirectory() as name:
    folder = Path(name)
    (folder / "train.jsonl").write_text("\n".join(chats[:7]) + "\n")
    (folder / "valid.jsonl").write_text("\n".join(chats[6:]) + "\n")
    arguments = dict(lora.CONFIG_DEFAULTS)
    arguments.update(
        model=sys.argv[1], train=True, data=name, seed=SEED, iters=STEPS, batch_size=BATCH,
        learning_rate=RATE, num_layers=LAYERS, max_seq_length=LENGTH, steps_per_report=1,
        lora_parameters={"rank": RANK, "dropout": 0.0, "scale": SCALE},
        adapter_path=str(folder / "out"), resume_adapter_file=str(folder / "initial.safetensors"))
    args = types.SimpleNamespace(**arguments)
    np.random.seed(args.seed)
    model, tokenizer = lora.load(args.model)
    # Products with quantised weights are slow in mlx on a CPU; these are the same numbers.
    model = dequantize_model(model)
    model.update(tree_map(lambda p: p.astype(mx.float32), model.parameters()))
    mx.save_safetensors(args.resume_adapter_file, initial(model))
    train, valid, _ = lora.load_dataset(args, tokenizer)
    losses = Losses()
    lora.train_model(args, model, train, valid, losses)
    rows = lambda data: [[int(i) for i in data.process(data[j])[0]] for j in range(len(data))]
    record = {"seed": SEED, "batch": BATCH, "learningRate": RATE, "rank": RANK, "scale": SCALE,
               "layers": LAYERS, "length": LENGTH, "rows": rows(train), "validationRows": rows(valid),
               "losses": [round(x, 6) for x in losses.values]}
Path(sys.argv[2]).write_text(json.dumps(record) + "\n")
