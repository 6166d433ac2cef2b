"""Records adapters that mlx_lm and PEFT trained and saved, and what they compute, for RecordedAdapterTests.

usage: record_adapters.py OUT_DIR
Needs mlx, mlx_lm, torch, transformers and peft. Writes a tiny 4-bit model of random weights to
OUT_DIR/model, the folders mlx-lora, mlx-dora, peft-lora and peft-dora beside it, each trained for a few
steps by the program that it is named after, and logits.safetensors: under the model alone (`plain`) and
under each adapter, `[tokens, vocabulary]`, with `ids` as int32.
"""
import json
import shutil
import sys
from pathlib import Path

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import torch
from mlx.utils import tree_flatten
from mlx_lm.models import llama
from mlx_lm.tuner.trainer import TrainingArgs, train
from mlx_lm.tuner.utils import linear_to_lora_layers
from mlx_lm.utils import load_model, save_config
from peft import LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

mx.set_default_device(mx.cpu)
mx.disable_compile()  # it would call a C++ compiler for every fused operation
OUT = Path(sys.argv[1])
IDS = [7, 41, 3, 60, 12, 33, 25]
CONFIG = {
    "model_type": "llama", "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
    "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 32, "vocab_size": 64,
    "max_position_embeddings": 128, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
    "tie_word_embeddings": True}
QUANTIZATION = {"group_size": 32, "bits": 4}


def write_model(folder):
    folder.mkdir(parents=True, exist_ok=True)
    mx.random.seed(1)
    model = llama.Model(llama.ModelArgs.from_dict(CONFIG))
    # Larger than mlx's own, so that logits differ from token to token.
    weights = [(name, 2 * value if value.ndim == 2 else value)
               for name, value in tree_flatten(model.parameters())]
    model.load_weights(weights)
    nn.quantize(model, **QUANTIZATION)
    mx.save_safetensors(str(folder / "model.safetensors"), dict(tree_flatten(model.parameters())),
                        metadata={"format": "mlx"})
    (folder / "config.json").write_text(json.dumps({**CONFIG, "quantization": QUANTIZATION}) + "\n")


def mlx_logits(model):
    return model(mx.array([IDS]))[0].astype(mx.float32)


def mlx_adapter(kind):
    out = OUT / f"mlx-{kind}"
    out.mkdir(exist_ok=True)
    model, _ = load_model(OUT / "model")
    parameters = {"rank": 2, "dropout": 0.0, "scale": 5.0}
    mx.random.seed(3)
    model.freeze()
    linear_to_lora_layers(model, 1, parameters, use_dora=kind == "dora")
    save_config({"fine_tune_type": kind, "num_layers": 1, "lora_parameters": parameters,
                 "model": "tiny", "iters": 4, "learning_rate": 0.02}, out / "adapter_config.json")
    train(model, optim.Adam(learning_rate=0.02), [(IDS, 0)],
          args=TrainingArgs(batch_size=1, iters=4, adapter_file=out / "adapters.safetensors"))
    for checkpoint in out.glob("0*_adapters.safetensors"):
        checkpoint.unlink()
    model.eval()
    return mlx_logits(model)


def dequantized():
    tensors = mx.load(str(OUT / "model" / "model.safetensors"))
    whole = {}
    for name, value in tensors.items():
        if name.endswith((".scales", ".biases")):
            continue
        path = name.removesuffix(".weight")
        if f"{path}.scales" in tensors:
            value = mx.dequantize(value, tensors[f"{path}.scales"], tensors[f"{path}.biases"], **QUANTIZATION)
        whole[name] = torch.tensor(value.astype(mx.float32).tolist())
    return whole


def peft_adapter(kind):
    out = OUT / f"peft-{kind}"
    torch.manual_seed(3)
    base = LlamaForCausalLM(LlamaConfig(**CONFIG))
    base.load_state_dict(dequantized(), strict=False)
    base.tie_weights()
    base.name_or_path = "tiny"
    model = get_peft_model(base, LoraConfig(
        task_type="CAUSAL_LM", r=2, lora_alpha=10, lora_dropout=0.0, use_dora=kind == "dora",
        target_modules=["q_proj", "k_proj", "v_proj", "o_proj", "up_proj", "down_proj"]))
    ids = torch.tensor([IDS])
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=0.02)
    for _ in range(4):
        optimizer.zero_grad()
        model(input_ids=ids, labels=ids).loss.backward()
        optimizer.step()
    model.save_pretrained(out)
    (out / "README.md").unlink(missing_ok=True)
    model.eval()
    with torch.no_grad():
        return mx.array(model(input_ids=ids).logits[0].tolist())


shutil.rmtree(OUT, ignore_errors=True)
write_model(OUT / "model")
logits = {"ids": mx.array(IDS, dtype=mx.int32), "plain": mlx_logits(load_model(OUT / "model")[0])}
for kind in ("lora", "dora"):
    logits[f"mlx-{kind}"] = mlx_adapter(kind)
    logits[f"peft-{kind}"] = peft_adapter(kind)
mx.save_safetensors(str(OUT / "logits.safetensors"), logits)
