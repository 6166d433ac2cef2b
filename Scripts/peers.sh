#!/usr/bin/env bash
# Makes a virtual environment with the implementations that tests compare Circadia with: Hugging Face
# tokenizers and mlx_lm. usage: peers.sh DIR. Where they cannot be installed, says so; the tests that
# need them then report themselves skipped.
set -uo pipefail
dir=${1:?usage: peers.sh DIR}
wanted='mlx[cpu]==0.32.4 mlx-lm==0.32.2 transformers==5.23.0 safetensors jinja2'
if [ "$(cat "$dir/wanted" 2>/dev/null)" = "$wanted" ]; then exit 0; fi
echo "peers: installing $wanted into $dir"
# shellcheck disable=SC2086
if python3 -m venv "$dir" && "$dir/bin/pip" install --quiet --upgrade pip \
    && "$dir/bin/pip" install --quiet $wanted; then
    echo "$wanted" >"$dir/wanted"
else
    rm -rf "$dir"
    echo "peers: could not be installed; tests against them will be skipped" >&2
fi
exit 0
