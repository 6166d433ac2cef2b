"""llama.cpp on a GGUF: tokens a second of prefill, or of decoding at a depth, as one JSON line."""
import argparse
import json
import statistics
import time

from llama_cpp import Llama

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("model")
parser.add_argument("--prefill", type=int, default=0, help="tokens of a prompt")
parser.add_argument("--decode", type=int, default=0, help="tokens to generate")
parser.add_argument("--depth", type=int, default=0, help="tokens in the context before those")
parser.add_argument("--threads", type=int, default=2)
options = parser.parse_args()

batch = max(options.prefill, 512)
model = Llama(options.model, n_ctx=max(options.prefill, options.depth + options.decode) + 8,
              n_batch=batch, n_ubatch=batch, n_threads=options.threads,
              n_threads_batch=options.threads, verbose=False)


def prefill():
    model.n_tokens = 0  # the next eval drops what the cache holds beyond
    model.eval([100 + i % 1000 for i in range(options.prefill)])


def decode():
    model.n_tokens = options.depth
    for i in range(options.decode):
        model.eval([100 + i])


if options.depth:
    model.eval([100 + i % 1000 for i in range(options.depth)])
tokens, work = (options.prefill, prefill) if options.prefill else (options.decode, decode)
speeds = []
for repetition in range(3):
    start = time.perf_counter()
    work()
    if repetition:  # the first one warms up
        speeds.append(tokens / (time.perf_counter() - start))
print(json.dumps({"tps": statistics.median(speeds)}))
