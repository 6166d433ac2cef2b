#!/usr/bin/env bash
# Finds what a Mac does not understand in the scripts and Makefiles: bash there is version 3.2, and the
# tools are BSD's. Run by `make lint`. A line that needs such a thing anyway ends in `# portability: WHY`.
set -euo pipefail
cd "$(dirname "$0")/.."

failed=0

# refuse EXTENDED-REGEX REASON: prints each line of the files that the expression matches.
refuse() {
    local lines
    lines=$(grep -nE "$1" $files | grep -vE '^[^:]*:[0-9]+:[[:space:]]*#|# portability: ' || true)
    [ -z "$lines" ] && return
    failed=1
    printf '%s\n' "$lines" | while IFS= read -r line; do printf '%s\n    %s\n' "$line" "$2"; done
}

check() {
    # A command starts a line or follows a separator, a substitution or a keyword.
    local start='(^|[|;&(`{!@]|(^|[^[:alnum:]_])(if|then|do|else|while)[[:space:]])[[:space:]]*'
    refuse '\[[@*]\]' 'bash 3.2 fails on an empty array under set -u; keep words in a string'
    refuse '(declare|local|typeset) +-[a-zA-Z]*[Anu]' 'bash 3.2 has no declare -A, -n, -u'
    refuse "$start(mapfile|readarray|coproc)([^[:alnum:]_]|\$)" 'bash 3.2 lacks it; use while read'
    refuse '\$\{[[:alnum:]_]+(,|\^|@[A-Za-z])' 'bash 3.2 has no ${x,,}, ${x^^}, ${x@Q}; use tr or printf %q'
    refuse '&>>|\|&([^&]|$)|;;&|;&' 'bash 3.2 has no &>>, |&, ;;&'
    refuse '(wait|shopt -s) +(-n|globstar|lastpipe)' 'bash 3.2 lacks it'
    refuse 'EPOCHSECONDS|EPOCHREALTIME|BASHPID' 'bash 3.2 lacks it'
    refuse 'readlink +-[a-z]*[fem]' 'BSD readlink has no -f on older systems; use python3 os.path.realpath'
    refuse 'sed +-[a-zA-Z]*i' 'sed -i takes an argument on BSD only; write to a file and move it'
    refuse 'sed [^|]*\\[tn+?|]' "GNU escapes mean nothing to BSD sed; use awk"
    refuse 'grep +-[a-zA-Z]*P' 'BSD grep has no -P'
    refuse 'date +(-[dIs]|--)' 'BSD date differs; use python3'
    refuse 'stat +(-c|--)' 'BSD stat has -f in place of -c; use wc -c or python3'
    refuse 'find [^|]*-(printf|executable)' 'BSD find has no -printf, -executable'
    refuse 'xargs [^|]*-[a-z]*d' 'BSD xargs has no -d'
    refuse 'head +-n +-|base64 +-w|sort +-[a-z]*z' 'BSD tools lack it'
    refuse "$start(cp|mv|rm|ls|ln|mkdir|mktemp|sed|head|tail|wc|du|df|touch|tr|cut|install|sort|ps) [^|;&]*--[a-z]" \
        'BSD tools have no long options'
    refuse "$start(timeout|nproc|flock|setsid|tac|md5sum|sha256sum|shuf|numfmt|ldd|free)([^[:alnum:]_]|\$)" \
        'a Mac does not have it'
    refuse 'wc +-[lcw] +<' 'BSD wc puts spaces before the number; use grep -c'
}

# What the expressions must find, a line each; read when they are given this file instead of the tree's.
examples() {
    cat <<'EXAMPLES'
"${names[@]}"
declare -A seen
mapfile -t lines
echo "${name,,}"
make &>>log
x=$(readlink -f a)
sed -i s/a/b/ file
sed 's/a/\t/'
grep -oP a
date -d now
stat -c %s file
find . -printf %p
cp --archive a b
if timeout 5 true; then
$(nproc)
$(wc -l <file)
EXAMPLES
}

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
examples >"$folder/examples"
files="$folder/examples /dev/null" # with a second file, grep names the first
found=$(check | grep -c "^$folder" || true)
if [ "$found" -ne "$(grep -c '' "$folder/examples")" ]; then
    echo "portability: the check finds $found of its own examples:" >&2
    check >&2
    exit 1
fi

# Not this file, which names what it looks for.
files=$(git ls-files '*.sh' '*Makefile' .ci/run | grep -v '^Scripts/portability.sh$')
check
for file in $files Scripts/portability.sh; do
    case "$file" in
        *Makefile) ;;
        *) bash -n "$file" || failed=1 ;;
    esac
done
exit $failed
