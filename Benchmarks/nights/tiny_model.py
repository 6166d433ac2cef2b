"""A random model of two small blocks with a real tokenizer, for nights in which it does not matter what is said.

The same shape as `TinyModel` in Tests/circadiaTests: 4-bit weights in groups of 32, bf16 scales and norms.
"""
import json
import math
import os
import random
import shutil
import struct

HIDDEN, FEED_FORWARD, BLOCKS, HEADS, HEAD_SIZE, VOCABULARY = 64, 128, 2, 2, 32, 49152
BITS, GROUP = 4, 32


def bf16(value):
    return struct.pack("<f", value)[2:]


def write(folder, tokenizer_folder, seed=0, context=512, vocabulary=VOCABULARY):
    """Writes the model to `folder`; its tokenizer is that of the model in `tokenizer_folder`."""
    os.makedirs(folder, exist_ok=True)
    generator = random.Random(seed)
    tensors = {}

    def norm(name):
        tensors[name + ".weight"] = (
            "BF16", [HIDDEN], b"".join(bf16(generator.uniform(0.9, 1.1)) for _ in range(HIDDEN)))

    def matrix(name, rows, columns):
        groups = rows * columns // GROUP
        # Uniform integers of 0 to 15 have a deviation of 4.6 and a mean of 7.5, which the biases take away.
        scale = 1 / math.sqrt(columns) / 4.6
        tensors[name + ".weight"] = (
            "U32", [rows, columns * BITS // 32], generator.randbytes(rows * columns * BITS // 8))
        tensors[name + ".scales"] = ("BF16", [rows, columns // GROUP], bf16(scale) * groups)
        tensors[name + ".biases"] = ("BF16", [rows, columns // GROUP], bf16(-7.5 * scale) * groups)

    matrix("model.embed_tokens", vocabulary, HIDDEN)
    for block in range(BLOCKS):
        path = f"model.layers.{block}."
        norm(path + "input_layernorm")
        matrix(path + "self_attn.q_proj", HEADS * HEAD_SIZE, HIDDEN)
        matrix(path + "self_attn.k_proj", HEAD_SIZE, HIDDEN)
        matrix(path + "self_attn.v_proj", HEAD_SIZE, HIDDEN)
        matrix(path + "self_attn.o_proj", HIDDEN, HEADS * HEAD_SIZE)
        norm(path + "post_attention_layernorm")
        matrix(path + "mlp.gate_proj", FEED_FORWARD, HIDDEN)
        matrix(path + "mlp.up_proj", FEED_FORWARD, HIDDEN)
        matrix(path + "mlp.down_proj", HIDDEN, FEED_FORWARD)
    norm("model.norm")

    header, offset = {}, 0
    for name, (dtype, shape, data) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [offset, offset + len(data)]}
        offset += len(data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(os.path.join(folder, "model.safetensors"), "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _, _, data in tensors.values():
            file.write(data)
    quantization = {"bits": BITS, "group_size": GROUP}
    with open(os.path.join(folder, "config.json"), "w") as file:
        json.dump({
            "model_type": "llama", "hidden_size": HIDDEN, "intermediate_size": FEED_FORWARD,
            "num_hidden_layers": BLOCKS, "num_attention_heads": HEADS, "num_key_value_heads": 1,
            "head_dim": HEAD_SIZE, "vocab_size": vocabulary, "rms_norm_eps": 1e-5, "rope_theta": 10000,
            "max_position_embeddings": context, "tie_word_embeddings": True,
            "quantization": quantization, "quantization_config": quantization}, file)
    for name in os.listdir(tokenizer_folder):
        if "token" in name or name.endswith((".jinja", "generation_config.json")):
            shutil.copy(os.path.join(tokenizer_folder, name), folder)


def write_with_usual_tokenizer(folder):
    """Writes it with the tokenizer of the default model, which `circadia model pull` has brought."""
    home = os.environ.get("CIRCADIA_HOME") or os.path.expanduser("~/.cache/circadia")
    write(folder, os.path.join(home, "models", "smollm2-135m"))
