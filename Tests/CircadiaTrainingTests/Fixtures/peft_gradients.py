"""Gradients of a PEFT adapter under torch autograd, for DoRAPeerTests.

usage: peft_gradients.py HF_DIR PEFT_DIR rows.json OUT.safetensors
rows.json: as for mlx_gradients.py, and so are the names of what is written; factors are transposed to
MLX's layout.
"""
import json
import sys

import torch
from peft import PeftModel
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM

base = AutoModelForCausalLM.from_pretrained(sys.argv[1], dtype=torch.float32)
model = PeftModel.from_pretrained(base, sys.argv[2], is_trainable=True)
rows = json.load(open(sys.argv[3]))
total, count = 0, 0
for row in rows:
    positions = [i for begin, end in row["scored"] for i in range(begin, end)]
    logits = model(input_ids=torch.tensor([row["ids"]])).logits[0]
    total = total + torch.nn.functional.cross_entropy(
        logits[[i - 1 for i in positions]], torch.tensor([row["ids"][i] for i in positions]),
        reduction="sum")
    count += len(positions)
loss = total / count
loss.backward()
out = {"loss": loss.detach().reshape(1)}
for name, parameter in model.named_parameters():
    if parameter.grad is None:
        continue
    path = name.replace("base_model.model.", "", 1)
    for theirs, ours in ((".lora_A.default.weight", ".lora_a"), (".lora_B.default.weight", ".lora_b"),
                         (".lora_magnitude_vector.default.weight", ".m")):
        if path.endswith(theirs):
            gradient = parameter.grad if ours == ".m" else parameter.grad.T
            out[path[: -len(theirs)] + ours] = gradient.contiguous()
save_file(out, sys.argv[4])
