#!/usr/bin/env bash
# Speed of this machine: prefill, decode and LoRA training of the default model, and beside them, where
# they are installed, llama.cpp and torch in the same run, alternating. Results go to standard output as
# JSON lines. Quote ratios: absolute figures drift on shared machines.
#
# LLAMA_PYTHON   a python with llama-cpp-python   TORCH_PYTHON  a python with torch, transformers and peft
set -euo pipefail
cd "$(dirname "$0")/.."
circadia=.build/release/circadia
rounds=${ROUNDS:-3}
commit=$(git describe --always --dirty 2>/dev/null || echo unknown)
if [ "$(uname)" = Darwin ]; then
    machine=$(sysctl -n machdep.cpu.brand_string)
else
    machine=$(lscpu | sed -n 's/^Model name: *//p')
fi
echo "{\"machine\": \"$machine\", \"commit\": \"$commit\"}"
for round in $(seq "$rounds"); do
    "$circadia" bench --json --quiet --prefill 512 --decode 128 --train 4x128 --reps 1
    if [ -n "${LLAMA_PYTHON:-}" ]; then
        gguf=$("$LLAMA_PYTHON" Benchmarks/default_gguf.py)
        "$LLAMA_PYTHON" Benchmarks/llama_bench.py "$gguf"
    fi
    if [ -n "${TORCH_PYTHON:-}" ]; then
        "$TORCH_PYTHON" Benchmarks/torch_lora.py
    fi
done
