#!/usr/bin/env bash
# Builds the kernels for this processor with AddressSanitizer and UndefinedBehaviorSanitizer
# (Tests/KernelProgram) and prints the command that runs them, which tests take from
# CIRCADIA_SANITIZED_KERNELS. Where no clang has the sanitizers' libraries, says so on standard error
# and prints nothing; the tests then report themselves skipped.
set -uo pipefail
cd "$(dirname "$0")/.."

build=.build/sanitized
mkdir -p "$build"
linker=
[ "$(uname)" = Linux ] && linker=-fuse-ld=lld

# Whether a clang can build a program with sanitizers that starts here.
works() {
    [ -x "$1" ] && echo 'int main(void) { return 0; }' \
        | "$1" -fsanitize=address,undefined $linker -x c - -o "$build/probe" 2>/dev/null \
        && "$build/probe" 2>/dev/null
}

# The toolchain's own clang first: beside swift, wherever that is linked to.
for clang in "$(bash Scripts/toolchain.sh)/clang" "$(command -v clang)" \
    /usr/lib/llvm-*/bin/clang; do
    works "$clang" || continue
    make --silent -j 2 -f Tests/KernelProgram/Makefile CC="$clang" KIND=sanitized >&2 \
        || { echo "sanitized-kernels: the kernels could not be built" >&2; exit 1; }
    echo "$PWD/$build/kernels"
    exit 0
done
echo "sanitized-kernels: no clang here links sanitizers; the tests of kernels under them will be" \
    "skipped" >&2
