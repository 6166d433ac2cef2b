"""llama.cpp on the same GGUF: prefill and decode, tokens a second, as one JSON line.

usage: llama_bench.py MODEL.gguf [PREFILL] [DECODE] [THREADS]
"""
import json
import statistics
import sys
import time

from llama_cpp import Llama


def argument(index, default):
    return int(sys.argv[index]) if len(sys.argv) > index else default


prefill, decode, threads = argument(2, 512), argument(3, 128), argument(4, 2)
model = Llama(sys.argv[1], n_ctx=prefill + decode + 8, n_batch=prefill, n_ubatch=prefill,
              n_threads=threads, n_threads_batch=threads, verbose=False)
prompt = [100 + i % 1000 for i in range(prefill)]
prefill_tps, decode_tps = [], []
for repetition in range(4):
    model.reset()
    start = time.perf_counter()
    model.eval(prompt)
    middle = time.perf_counter()
    for i in range(decode):
        model.eval([100 + i])
    end = time.perf_counter()
    if repetition:  # the first one warms up
        prefill_tps.append(prefill / (middle - start))
        decode_tps.append(decode / (end - middle))
print(json.dumps({"peer": "llama.cpp", "prefill_tps": statistics.median(prefill_tps),
                  "decode_tps": statistics.median(decode_tps)}))
