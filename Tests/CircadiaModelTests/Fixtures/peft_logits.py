"""Prints the logits of every token under transformers + peft in f32, one JSON array a line.

usage: peft_logits.py HF_DIR ID,ID,ID… PEFT_DIR
       peft_logits.py HF_DIR ID,ID,ID… OUT_DIR plain|patterns|rslora|dora
With a kind, an adapter of that kind is made, trained for four steps and saved first.
"""
import json
import sys

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM

torch.manual_seed(3)
model = AutoModelForCausalLM.from_pretrained(sys.argv[1], dtype=torch.float32)
ids = torch.tensor([[int(i) for i in sys.argv[2].split(",")]])
if len(sys.argv) == 4:
    model = PeftModel.from_pretrained(model, sys.argv[3])
else:
    kind = sys.argv[4]
    settings = {
        "plain": dict(r=4, lora_alpha=12, target_modules=["q_proj", "v_proj"]),
        "patterns": dict(
            r=4, lora_alpha=12, target_modules=["q_proj", "k_proj", "down_proj", "up_proj"],
            layers_to_transform=[0, 2], rank_pattern={"q_proj": 2, "layers.2.mlp.up_proj": 6},
            alpha_pattern={"k_proj": 3}),
        "rslora": dict(r=4, lora_alpha=6, use_rslora=True, target_modules="all-linear"),
        "dora": dict(r=4, lora_alpha=12, use_dora=True,
                     target_modules=["q_proj", "o_proj", "gate_proj", "down_proj"]),
    }[kind]
    model = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", lora_dropout=0.0, **settings))
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=0.02)
    for _ in range(4):
        optimizer.zero_grad()
        model(input_ids=ids, labels=ids).loss.backward()
        optimizer.step()
    model.save_pretrained(sys.argv[3])
model.eval()
with torch.no_grad():
    for row in model(input_ids=ids).logits[0]:
        print(json.dumps(row.tolist()))
