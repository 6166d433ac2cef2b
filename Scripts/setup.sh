#!/usr/bin/env bash
# Installs the libraries that Circadia links: OpenMP, OpenBLAS and SQLite, with apt or brew, and pip for
# bringing models. `setup.sh browser` installs a headless browser, for the report's test, and `setup.sh
# emulation` installs what runs kernels for aarch64 on another processor: an
# emulator, and a libc to link with. Does nothing, quickly, where all are there.
set -euo pipefail

command -v swift >/dev/null || {
    echo "setup: the Swift toolchain is missing; install Swift 6.1 or newer and run make again" >&2
    exit 1
}

if [ "$(uname)" = Darwin ]; then
    command -v brew >/dev/null || {
        echo "setup: Homebrew is missing; install it, or libomp by hand, and run make again" >&2
        exit 1
    }
    brew list libomp >/dev/null 2>&1 || brew install libomp
    exit 0
fi

missing=()
options=()
if [ "${1:-}" = emulation ]; then
    # What qemu-user recommends would make the whole system run foreign programs.
    options=(--no-install-recommends)
    command -v qemu-aarch64 >/dev/null || missing+=(qemu-user)
    test -e /usr/aarch64-linux-gnu/lib/libc.a || missing+=(libc6-dev-arm64-cross)
    # For libgcc and the start files; their own package's name changes with GCC's version.
    ls /usr/lib/gcc-cross/aarch64-linux-gnu/*/libgcc.a >/dev/null 2>&1 \
        || missing+=(gcc-aarch64-linux-gnu)
elif [ "${1:-}" = browser ]; then
    options=(--no-install-recommends)
    command -v chromium-headless-shell >/dev/null || command -v chromium >/dev/null \
        || command -v google-chrome >/dev/null || missing+=(chromium-headless-shell fonts-dejavu-core)
else
    ls /usr/lib/llvm-*/lib/libomp.so >/dev/null 2>&1 || missing+=(libomp-dev)
    pkg-config --exists openblas 2>/dev/null || ls /usr/lib/*/libopenblas.so >/dev/null 2>&1 || missing+=(libopenblas-dev)
    test -e /usr/include/sqlite3.h || missing+=(libsqlite3-dev)
    python3 -m pip --version >/dev/null 2>&1 || missing+=(python3-pip)
    python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
fi
[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        as_root=(sudo -n)
    else
        echo "setup: no right to install packages here. Ask an administrator for:" >&2
        echo "    apt-get install ${missing[*]}" >&2
        exit 1
    fi
fi
command -v apt-get >/dev/null || {
    echo "setup: this system has no apt-get; install what stands for: ${missing[*]}" >&2
    exit 1
}
echo "setup: installing ${missing[*]}"
"${as_root[@]}" apt-get update -qq
DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq \
    "${options[@]}" "${missing[@]}" >/dev/null
