"""Prints the logits of every token under llama.cpp with a LoRA adapter, one JSON array a line, and
before them the greedy continuation as ids.

usage: llama_logits.py MODEL.gguf ID,ID,ID… ADAPTER.gguf COUNT
"""
import json
import sys

import llama_cpp
import numpy

ids = [int(i) for i in sys.argv[2].split(",")]
llama = llama_cpp.Llama(
    sys.argv[1], lora_path=sys.argv[3], n_ctx=512, logits_all=True, verbose=False, n_threads=2)
llama.eval(ids)
rows = numpy.array(llama.scores[: len(ids)], dtype=numpy.float32)
continuation = []
for _ in range(int(sys.argv[4])):
    best = int(numpy.argmax(llama.scores[llama.n_tokens - 1]))
    continuation.append(best)
    llama.eval([best])
print(json.dumps(continuation))
for row in rows:
    print(json.dumps(row.tolist()))
