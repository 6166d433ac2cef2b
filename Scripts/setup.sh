#!/usr/bin/env bash
# Installs the libraries that Circadia links: OpenMP, OpenBLAS and SQLite, with apt or brew, and pip, which
# downloads models. `setup.sh browser` installs a headless browser, for the report's test, and `setup.sh
# emulation` installs what runs kernels for aarch64 on another processor: an emulator, and a libc to
# link with; neither does so on a Mac. Does nothing, quickly, where all are there.
set -euo pipefail

command -v swift >/dev/null || {
    echo "setup: the Swift toolchain is missing; install Swift 6.2 or newer and run make again" >&2
    exit 1
}

if [ "$(uname)" = Darwin ]; then
    if [ -n "${1:-}" ]; then
        echo "setup: '$1' is installed on Linux only" >&2
        exit 1
    fi
    [ "${CIRCADIA_OPENMP:-}" = 0 ] && exit 0 # a build without threads needs nothing
    command -v brew >/dev/null || {
        echo "setup: Homebrew is missing, which brings libomp; install it, or set CIRCADIA_OPENMP=0 to" \
            "build without threads, and run make again" >&2
        exit 1
    }
    brew list libomp >/dev/null 2>&1 || brew install libomp
    exit 0
fi

# Words in strings, not arrays: bash 3.2, which a Mac has, fails on an empty array under set -u.
missing=
options=
if [ "${1:-}" = emulation ]; then
    # What qemu-user recommends would make the whole system run foreign programs.
    options=--no-install-recommends
    command -v qemu-aarch64 >/dev/null || missing="$missing qemu-user"
    test -e /usr/aarch64-linux-gnu/lib/libc.a || missing="$missing libc6-dev-arm64-cross"
    # For libgcc and the start files; their own package's name changes with GCC's version.
    ls /usr/lib/gcc-cross/aarch64-linux-gnu/*/libgcc.a >/dev/null 2>&1 \
        || missing="$missing gcc-aarch64-linux-gnu"
elif [ "${1:-}" = browser ]; then
    options=--no-install-recommends
    command -v chromium-headless-shell >/dev/null || command -v chromium >/dev/null \
        || command -v google-chrome >/dev/null \
        || missing="$missing chromium-headless-shell fonts-dejavu-core"
else
    ls /usr/lib/llvm-*/lib/libomp.so >/dev/null 2>&1 || missing="$missing libomp-dev"
    pkg-config --exists openblas 2>/dev/null || ls /usr/lib/*/libopenblas.so >/dev/null 2>&1 \
        || missing="$missing libopenblas-dev"
    test -e /usr/include/sqlite3.h || missing="$missing libsqlite3-dev"
    python3 -m pip --version >/dev/null 2>&1 || missing="$missing python3-pip"
    python3 -c 'import ensurepip, venv' 2>/dev/null || missing="$missing python3-venv"
fi
[ -z "$missing" ] && exit 0

as_root=
if [ "$(id -u)" -ne 0 ]; then
    if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        as_root="sudo -n"
    else
        echo "setup: no right to install packages here. Ask an administrator for:" >&2
        echo "    apt-get install$missing" >&2
        exit 1
    fi
fi
command -v apt-get >/dev/null || {
    echo "setup: this system has no apt-get; install what stands for:$missing" >&2
    exit 1
}
echo "setup: installing$missing"
# shellcheck disable=SC2086
$as_root apt-get update -qq
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq $options $missing >/dev/null
