#!/usr/bin/env python3
"""What a night's recipe gains and costs, on conversations of LoCoMo.

Language models played the speakers of LoCoMo, so these are not conversations of real people. A recipe is a list
of flags of `circadia sleep`. Each run trains on the first 70% of a conversation's sessions. It measures the last
30%, general texts that no night trains on, and with --harness the capability harness. --nights 10 deals the
sessions out to ten nights in a row. Each night starts from the adapter before and sees its own sessions only. A
run is a JSON line with its exact command. The base model is measured once for each file.

    python3 Benchmarks/recipes.py --locomo FOLDER --out Benchmarks/results/recipes.jsonl \\
        --recipes seed,plain --conversations 26,42
    python3 Benchmarks/recipes.py --out Benchmarks/results/recipes.jsonl --summary
"""
import argparse
import json
import math
import os
import shlex
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
# Without gate, held-out share and report: all sessions train, and nothing but training takes time.
NIGHT = "--no-gate --held-out 0 --report-questions 0"
FAST = "--learning-rate 2e-4 --lora-layers all --iters 50"
KEPT = "--learning-rate 2e-4 --lora-layers all --batch-size 6 --rehearsal 0.5 --kl-weight 10"
RECIPES = {
    # The original's numbers, with this project's masks and batches.
    "seed": "--iters 50 --learning-rate 2e-5 --batch-size 1 --rehearsal 0",
    "plain": f"{FAST} --batch-size 4 --rehearsal 0",
    "answers": f"{FAST} --batch-size 6 --rehearsal 0.5",
    "kl-1": f"{FAST} --batch-size 6 --rehearsal 0.5 --kl-weight 1",
    "kl-3": f"{FAST} --batch-size 6 --rehearsal 0.5 --kl-weight 3",
    "kl-10": f"{FAST} --batch-size 6 --rehearsal 0.5 --kl-weight 10",
    "kl-10-last-16": "--learning-rate 2e-4 --lora-layers 16 --iters 50 --batch-size 6 "
                     "--rehearsal 0.5 --kl-weight 10",
    "kl-10-rate-4e-4": "--learning-rate 4e-4 --lora-layers all --iters 50 --batch-size 6 "
                       "--rehearsal 0.5 --kl-weight 10",
    "kl-10-twice": f"{FAST} --batch-size 8 --rehearsal 1 --kl-weight 10",
    # Steps by the material; the second is what the first comes to in nights of few exchanges.
    "recommended": f"{KEPT} --epochs 1.5",
    "recommended-short": f"{KEPT} --iters 8",
    # What the program does without flags: that, and at least 8 steps.
    "shipped": "",
}
TEXTS = os.path.join(HERE, "general_texts.jsonl")


def sessions_of(path):
    """The conversation's sessions in order, each a list of exchanges."""
    sessions = {}
    with open(path) as file:
        for line in file:
            exchange = json.loads(line)
            sessions.setdefault(exchange["session"], []).append(exchange)
    return list(sessions.values())


def dealt(sessions, nights):
    """Sessions in so many runs of about the same length."""
    return [sum(sessions[len(sessions) * night // nights:len(sessions) * (night + 1) // nights], [])
            for night in range(nights)]


def write(path, exchanges):
    with open(path, "w") as file:
        file.writelines(json.dumps(exchange) + "\n" for exchange in exchanges)


def sign_test(gained, lost):
    """McNemar's exact test: two-sided p of so many gains and losses."""
    total = gained + lost
    tail = sum(math.comb(total, k) for k in range(min(gained, lost) + 1)) / 2 ** total
    return min(1.0, 2 * tail)


class Bench:
    """Runs the program and keeps what it says in a file of JSON lines."""

    def __init__(self, arguments):
        self.arguments = arguments
        self.records = records_of(arguments.out)

    def run(self, words, folder):
        words = [self.arguments.circadia] + words + [
            "--threads", str(self.arguments.threads), "--json", "--quiet"]
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{shlex.join(words)}: {done.stderr.strip()}")
        return json.loads(done.stdout)

    def keep(self, record):
        self.records.append(record)
        with open(self.arguments.out, "a") as file:
            file.write(json.dumps(record, sort_keys=True) + "\n")

    def base(self, what, measure):
        """The base model's figure, measured once a file."""
        for record in self.records:
            if record["kind"] == "base" and record["what"] == what:
                return record["value"]
        value = measure()
        self.keep({"kind": "base", "what": what, "value": value})
        return value

    def held_out(self, folder, adapter):
        words = ["eval-loss", "--memory-file", "held-out.jsonl"] + adapter
        return self.run(words, folder)["loss"]

    def passed(self, folder, adapter):
        """Ids of the harness's tasks that the model passes."""
        self.run(["eval-harness", "--out-jsonl", "answers.jsonl"] + adapter, folder)
        with open(os.path.join(folder, "answers.jsonl")) as file:
            return [task["id"] for task in map(json.loads, file) if task["passed"]]

    def measure(self, name, conversation, seed):
        """One night, or a row of nights, and what came of them."""
        arguments = self.arguments
        sessions = sessions_of(
            os.path.join(arguments.locomo, f"memories-{conversation}.jsonl"))
        count = round(0.7 * len(sessions))
        held_out = sum(sessions[count:], [])
        if arguments.held_out:
            held_out = held_out[::math.ceil(len(held_out) / arguments.held_out)]
        nights = []
        with tempfile.TemporaryDirectory() as folder:
            write(os.path.join(folder, "held-out.jsonl"), held_out)
            before = self.base(
                f"held-out loss of {conversation}, {len(held_out)} exchanges",
                lambda: self.held_out(folder, ["--no-adapter"]))
            adapter = ["--adapter-dir", "adapters/nightly_update"]
            command = shlex.split(f"sleep --memory-file log.jsonl {NIGHT} {RECIPES[name]}")
            for number, exchanges in enumerate(dealt(sessions[:count], arguments.nights)):
                write(os.path.join(folder, "log.jsonl"), exchanges)
                # Another seed each night draws other texts to rehearse.
                night = self.run(command + ["--seed", str(seed + number)] + adapter, folder)
                nights.append({
                    "exchanges": len(exchanges), "steps": night["steps"],
                    "train_loss_first": night["train_loss_first"], "train_loss": night["train_loss"],
                    "tokens_trained": night["tokens_trained"],
                    "heldout_loss": self.held_out(folder, adapter),
                    "training_seconds": night["training_seconds"],
                    "peak_rss_bytes": night["peak_rss_bytes"]})
            words = ["eval-loss", "--general", "--texts", os.path.abspath(arguments.texts)]
            drift = self.run(words + adapter, folder)
            record = {
                "kind": "night" if arguments.nights == 1 else "nights", "recipe": name,
                "conversation": conversation, "seed": seed, "threads": arguments.threads,
                "command": shlex.join(["circadia"] + command + ["--seed", str(seed)]),
                "heldout_exchanges": len(held_out),
                "heldout_loss_before": before, "nights": nights,
                "texts": os.path.basename(arguments.texts),
                "general": {kind["kind"]: kind["perplexity_change"] for kind in drift["kinds"]},
                "kl": drift["divergence"]}
            if arguments.harness:
                first = set(self.base("harness", lambda: self.passed(folder, ["--no-adapter"])))
                second = set(self.passed(folder, adapter))
                gained, lost = len(second - first), len(first - second)
                record["harness"] = {
                    "passed_before": len(first), "passed": len(second), "gained": gained,
                    "lost": lost, "p_value": sign_test(gained, lost)}
            if arguments.keep_adapters:
                target = os.path.join(arguments.keep_adapters, f"{name}-{conversation}-{seed}")
                shutil.copytree(os.path.join(folder, "adapters/nightly_update"), target)
        self.keep(record)
        return record


def records_of(path):
    if not os.path.exists(path):
        return []
    with open(path) as file:
        return [json.loads(line) for line in file]


def gains(record):
    """How far each night's adapter has lowered the held-out loss, as a share of it."""
    return [1 - night["heldout_loss"] / record["heldout_loss_before"] for night in record["nights"]]


def line(record):
    lowest = min([gain / max(gains(record)[:index + 1]) for index, gain in enumerate(gains(record))])
    parts = [f"{record['recipe']:14} {record['conversation']} seed {record['seed']}",
             f"held-out {-100 * gains(record)[-1]:+6.1f}%"]
    parts += [f"{kind} {100 * change:+5.1f}%" for kind, change in record["general"].items()]
    if len(record["nights"]) > 1:
        parts.append(f"{len(record['nights'])} nights, never below {100 * lowest:.0f}% of the best")
    if "harness" in record:
        score = record["harness"]
        parts.append(f"harness {score['passed_before']} → {score['passed']}, p {score['p_value']:.2f}")
    seconds = sum(night["training_seconds"] for night in record["nights"])
    peak = max(night["peak_rss_bytes"] for night in record["nights"])
    return "  ".join(parts + [f"{seconds:.0f} s", f"{peak / 1e6:.0f} MB"])


def summary(records):
    """A Markdown table, a row a recipe: means over its runs, the worst in brackets."""
    runs = [record for record in records if record["kind"] != "base"]
    kinds = list(dict.fromkeys(kind for run in runs for kind in run["general"]))
    print("| Recipe | Runs | Held-out loss |", " | ".join(kinds), "| Harness | s | MB |")
    print("|" + "---|" * (6 + len(kinds)))
    names = dict.fromkeys((run["recipe"], run["kind"]) for run in runs)
    for name, kind in names:
        own = [run for run in runs if (run["recipe"], run["kind"]) == (name, kind)]

        def cell(values, worst=max):
            return f"{100 * sum(values) / len(values):+.1f}% ({100 * worst(values):+.1f}%)"

        scores = [run["harness"] for run in own if "harness" in run]
        harness = ", ".join(f"{s['passed_before']} → {s['passed']}" for s in scores) or "–"
        cells = [name if kind == "night" else f"{name}, nights in a row", str(len(own)),
                 cell([-gains(run)[-1] for run in own])]
        cells += [cell([run["general"][text] for run in own if text in run["general"]])
                  for text in kinds]
        seconds = [sum(night["training_seconds"] for night in run["nights"]) for run in own]
        peaks = [max(night["peak_rss_bytes"] for night in run["nights"]) for run in own]
        cells += [harness, f"{sum(seconds) / len(own):.0f}", f"{max(peaks) / 1e6:.0f}"]
        print("|", " | ".join(cells), "|")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--circadia", default=".build/release/circadia")
    parser.add_argument("--locomo", help="a folder of memories-N.jsonl made of LoCoMo")
    parser.add_argument("--out", required=True, help="the file of JSON lines, added to")
    parser.add_argument("--recipes", default=",".join(RECIPES))
    parser.add_argument("--conversations", default="26,30,41,42,43")
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--nights", type=int, default=1)
    parser.add_argument("--held-out", type=int, default=0, help="exchanges to measure at most; 0: all")
    parser.add_argument("--texts", default=TEXTS, help="general texts in the form of data/eval/gate.jsonl")
    parser.add_argument("--harness", action="store_true")
    parser.add_argument("--keep-adapters", help="a folder for the runs' adapters")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--summary", action="store_true", help="print the file's runs, run nothing")
    arguments = parser.parse_args()
    if arguments.summary:
        for record in records_of(arguments.out):
            if record["kind"] != "base":
                print(line(record))
        return summary(records_of(arguments.out))
    arguments.circadia = os.path.abspath(arguments.circadia)
    bench = Bench(arguments)
    for name in arguments.recipes.split(","):
        for conversation in arguments.conversations.split(","):
            for seed in arguments.seeds.split(","):
                print(line(bench.measure(name, int(conversation), int(seed))), flush=True)


if __name__ == "__main__":
    main()
