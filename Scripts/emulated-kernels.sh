#!/usr/bin/env bash
# Builds the kernels for aarch64 (Tests/KernelProgram) and prints the command that runs them under
# qemu, which tests take from CIRCADIA_EMULATED_KERNELS. Where that cannot be, says why on standard
# error and prints nothing; the tests then report themselves skipped.
set -uo pipefail
cd "$(dirname "$0")/.."

skip() {
    echo "emulated-kernels: $1; the tests of NEON kernels under emulation will be skipped" >&2
    exit 0
}

case "$(uname) $(uname -m)" in
    "Linux x86_64") ;;
    *arm64 | *aarch64) skip "this processor runs NEON kernels itself" ;;
    *) skip "no emulator is set up for this system" ;;
esac

bash Scripts/setup.sh emulation >&2 || skip "qemu-user or the cross libraries are missing"

# The toolchain's own clang: beside swift, wherever that is linked to.
clang="$(bash Scripts/toolchain.sh)/clang"
[ -x "$clang" ] || clang=$(command -v clang) || skip "there is no clang"

make --silent -j 2 -f Tests/KernelProgram/Makefile CC="$clang" KIND=emulated >&2 \
    || { echo "emulated-kernels: the kernels could not be built for aarch64" >&2; exit 1; }
echo "qemu-aarch64 $PWD/.build/emulated/kernels"
