#!/usr/bin/env bash
# Makes a virtual environment with the implementations that tests compare Circadia with: Hugging Face
# tokenizers, mlx_lm and, where a build for the CPU can be had, torch with peft. usage: peers.sh DIR [llama], where
# "llama" adds llama.cpp, which takes minutes to compile. Where they cannot be installed, says so; the tests that
# need them then report themselves skipped.
set -uo pipefail
dir=${1:?usage: peers.sh DIR}
wanted='mlx[cpu]==0.32.4 mlx-lm==0.32.2 transformers==5.23.0 safetensors jinja2'
# Not the package without the suffix: on Linux that brings gigabytes for graphics cards.
torch='torch==2.13.0+cpu'
if [ "$(uname)" = Darwin ]; then torch='torch==2.13.0'; fi
# After torch, which it would bring with everything for graphics cards.
peft='peft==0.21.2'
# A Chroma server, by itself: it brings versions of packages that the others do not want.
chroma='chromadb==1.5.9'
if [ "$(cat "$dir-chroma/wanted" 2>/dev/null)" != "$chroma" ]; then
    if python3 -m venv "$dir-chroma" && "$dir-chroma/bin/pip" install --quiet "$chroma"; then
        echo "$chroma" >"$dir-chroma/wanted"
    else
        rm -rf "$dir-chroma"
        echo "peers: no Chroma server could be installed; its tests will be skipped" >&2
    fi
fi
llama='llama-cpp-python==0.3.36'
if [ "${2:-}" = llama ] && [ "$(cat "$dir-llama/wanted" 2>/dev/null)" != "$llama" ]; then
    if python3 -m venv "$dir-llama" && "$dir-llama/bin/pip" install --quiet "$llama"; then
        echo "$llama" >"$dir-llama/wanted"
    else
        rm -rf "$dir-llama"
        echo "peers: llama.cpp could not be installed; its test will be skipped" >&2
    fi
fi
if [ "$(cat "$dir/wanted" 2>/dev/null)" = "$wanted $peft" ]; then exit 0; fi
echo "peers: installing $wanted into $dir"
# shellcheck disable=SC2086
if python3 -m venv "$dir" && "$dir/bin/pip" install --quiet --upgrade pip \
    && "$dir/bin/pip" install --quiet $wanted; then
    { "$dir/bin/pip" install --quiet "$torch" && "$dir/bin/pip" install --quiet "$peft"; } \
        || echo "peers: no torch or peft for the CPU here; tests against them will be skipped" >&2
    echo "$wanted $peft" >"$dir/wanted"
else
    rm -rf "$dir"
    echo "peers: could not be installed; tests against them will be skipped" >&2
fi
exit 0
