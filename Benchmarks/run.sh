#!/usr/bin/env bash
# Speed of this machine: first every kernel on shapes of real models, then prefill, decoding and training
# of the default model, and beside them, where they are installed, llama.cpp and torch in the same run,
# alternating. Prints tables; every single figure goes to a file of JSON lines in Benchmarks/results.
# Quote ratios: absolute figures drift on shared machines. Run it while nothing else runs.
#
# LLAMA_PYTHON   a python with llama-cpp-python   TORCH_PYTHON  a python with torch, transformers and peft
# ROUNDS         of the second part, 3 unless set
set -euo pipefail
cd "$(dirname "$0")/.."
if [ "$(uname)" = Darwin ]; then
    machine=$(sysctl -n machdep.cpu.brand_string)
else
    machine=$(lscpu | sed -n 's/^Model name: *//p')
fi
commit=$(git describe --always --dirty 2>/dev/null || echo unknown)
mkdir -p Benchmarks/results
results=Benchmarks/results/$(date -u +%Y-%m-%dT%H%M%S).jsonl

.build/release/KernelBenchmarks --machine "$machine" --commit "$commit" --out "$results"
echo
python3 Benchmarks/end_to_end.py --machine "$machine" --commit "$commit" --rounds "${ROUNDS:-3}" \
    --out "$results"
python3 Benchmarks/summary.py "$results"
echo
echo "every figure: $results"
