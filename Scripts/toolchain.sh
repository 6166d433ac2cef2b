#!/usr/bin/env bash
# Prints the folder of the Swift toolchain's programs: that of swift itself, wherever its name links to.
# With python3 because `readlink -f` is not on every system.
set -euo pipefail
swift=$(command -v swift)
python3 -c 'import os, sys; print(os.path.dirname(os.path.realpath(sys.argv[1])))' "$swift"
