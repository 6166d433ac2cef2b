#!/usr/bin/env bash
# A day and a night, in ./demo: a week of sample chats, one question before, one night, the same
# question after, and the morning's report. Started by `make demo`; CIRCADIA names the program.
set -euo pipefail
circadia=${CIRCADIA:?CIRCADIA must name the program; run make demo}
repository=$(cd "$(dirname "$0")/.." && pwd)
folder="$repository/demo"
question=${QUESTION:-"What should I have for breakfast before a long run?"}

rm -rf "$folder"
mkdir -p "$folder/data"
cp "$repository/data/samples/week.jsonl" "$folder/data/memories.jsonl"
cd "$folder"

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }

say "The day: $(grep -c '' data/memories.jsonl) exchanges over five days, in data/memories.jsonl"
"$circadia" route --explain --quiet | awk 'NR <= 4'
echo "…"

say "Before the night: $question"
"$circadia" generate --no-adapter --temp 0 --max-tokens 80 --quiet --prompt "$question"

say "The night: evaluate, sleep, evaluate"
"$circadia" run-cycle --tag demo --rag --sleep-reset-adapter

say "After the night: $question"
"$circadia" generate --temp 0 --max-tokens 80 --quiet --prompt "$question"

say "A memory, found again"
"$circadia" rag search --top-k 1 --quiet "what is the serial number of the pump?"

say "The morning's report, which is also a page: $("$circadia" report --quiet)"
"$circadia" report --text --quiet

say "Everything is in ./demo: data/, adapters/nightly_update, logs/"
echo "Go on with:  cd demo && $circadia chat --rag"
