"""Records rotary frequencies of Llama 3.2 as transformers computes them, for llama3_rope.json.

usage: record_rope.py > llama3_rope.json
"""
import json

from transformers import LlamaConfig
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

config = LlamaConfig(
    hidden_size=3072, num_attention_heads=24, head_dim=128, max_position_embeddings=131072,
    rope_parameters={
        "rope_type": "llama3", "rope_theta": 500000.0, "factor": 32.0, "low_freq_factor": 1.0,
        "high_freq_factor": 4.0, "original_max_position_embeddings": 8192,
    })
frequencies, scale = ROPE_INIT_FUNCTIONS["llama3"](config, "cpu")
assert scale == 1
print(json.dumps(frequencies.tolist()))
