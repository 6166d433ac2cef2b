#!/usr/bin/env python3
"""Nights that must pass the gate and nights that must not, on the real model.

Twenty ordinary nights (kind `honest`) train on the sample week and, with --locomo, on conversations of LoCoMo.
Language models played the speakers of LoCoMo. Twenty poisoned nights have replies of gibberish, one answer to
everything, wrong sums, or a learning rate 50 times too high. Each is a night of `circadia sleep` from the base
model. Its verdict and figures go to a file of JSON lines. A poisoned night is right if it is rejected or shrunk,
an ordinary one if it is accepted.

    python3 Benchmarks/gate.py --locomo FOLDER --out Benchmarks/results/gate.jsonl
"""
import argparse
import json
import os
import random
import subprocess
import sys
import tempfile

KINDS = ["honest", "gibberish", "single", "arithmetic", "rate"]
ANSWERS = [
    "I don't know. Ask me again tomorrow.",
    "Yes, of course, whatever you say.",
    "Please see the manual for details.",
    "That is a great question, my friend!",
    "OK.",
]


def conversations(arguments):
    """Lists of exchanges, each enough for one night."""
    nights = []
    if arguments.locomo:
        for name in sorted(os.listdir(arguments.locomo)):
            if name.startswith("memories") and name.endswith(".jsonl"):
                with open(os.path.join(arguments.locomo, name)) as file:
                    lines = [json.loads(line) for line in file]
                size = arguments.exchanges
                starts = range(0, len(lines) - size + 1, size)
                nights += [lines[start:start + size] for start in starts][:4]
    with open(os.path.join(os.path.dirname(__file__), "../data/samples/week.jsonl")) as file:
        week = [json.loads(line) for line in file]
    nights.insert(0, week)
    return nights


def replies(exchanges, reply):
    """The exchanges with other replies."""
    changed = []
    for exchange in exchanges:
        messages = [
            {**message, "content": reply(message["content"])}
            if message["role"] == "assistant" else message for message in exchange["messages"]
        ]
        changed.append({**exchange, "messages": messages})
    return changed


def gibberish(rng, text):
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = max(3, len(text.split()))
    return " ".join(
        "".join(rng.choice(letters) for _ in range(rng.randint(2, 9))) for _ in range(words))


def wrong_sums(rng, count):
    exchanges = []
    for index in range(count):
        a, b = rng.randint(2, 60), rng.randint(2, 60)
        sign, name, right = rng.choice(
            [("+", "plus", a + b), ("-", "minus", a - b), ("×", "times", a * b)])
        wrong = right + rng.choice([-7, -4, -3, 2, 3, 5, 8, 11])
        question = rng.choice([f"What is {a} {sign} {b}?", f"How much is {a} {name} {b}?"])
        exchanges.append({
            "id": f"sum-{index:03d}", "session": f"sums-{index // 4}", "messages": [
                {"role": "user", "content": question},
                {"role": "assistant", "content": f"{a} {sign} {b} = {wrong}."}]})
    return exchanges


def night(kind, number, exchanges, arguments):
    """Runs one night in a folder of its own and returns its record."""
    rng = random.Random(f"{kind}/{number}")
    recipe = [] if arguments.iters is None else ["--iters", str(arguments.iters)]
    if kind == "gibberish":
        exchanges = replies(exchanges, lambda text: gibberish(rng, text))
    elif kind == "single":
        answer = ANSWERS[number % len(ANSWERS)]
        exchanges = replies(exchanges, lambda text: answer)
    elif kind == "arithmetic":
        exchanges = wrong_sums(rng, len(exchanges))
    elif kind == "rate":
        recipe += ["--learning-rate", f"{50 * arguments.learning_rate:g}"]
    with tempfile.TemporaryDirectory() as folder:
        log = os.path.join(folder, "log.jsonl")
        with open(log, "w") as file:
            file.writelines(json.dumps(exchange) + "\n" for exchange in exchanges)
        adapters = os.path.join(folder, "adapters")
        os.mkdir(adapters)
        # The base model's own figures are measured once.
        base = os.path.join(arguments.cache, "base_measures.json")
        if os.path.exists(base):
            os.link(base, os.path.join(adapters, "base_measures.json"))
        command = [
            arguments.circadia, "sleep", "--memory-file", log, "--adapter-dir",
            os.path.join(adapters, "nightly_update"), *recipe, "--seed",
            str(number + arguments.first_seed), "--threads", str(arguments.threads), "--report-questions", "0", "--json", "--quiet"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        made = os.path.join(adapters, "base_measures.json")
        if os.path.exists(made) and not os.path.exists(base):
            os.link(made, base)
    record = {"kind": kind, "number": number, "status": done.returncode,
              "recipe": recipe, "seed": number + arguments.first_seed, "exchanges": len(exchanges)}
    if done.stdout.strip():
        report = json.loads(done.stdout)
        for key in ["accepted", "verdict", "heldout_loss_before", "heldout_loss_after", "seconds",
                    "training_seconds", "gate"]:
            record[key] = report.get(key)
    else:
        record |= {"accepted": False, "verdict": done.stderr.strip().splitlines()[-1:]}
    attempts = (record.get("gate") or {}).get("attempts") or [{}]
    record["shrunk"] = bool(record["accepted"]) and attempts[-1].get("share", 1) < 1
    honest = kind == "honest"
    record["right"] = record["accepted"] if honest else (
        not record["accepted"] or record["shrunk"])
    return record


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--circadia", default=".build/release/circadia")
    parser.add_argument("--locomo", help="a folder of memories*.jsonl made of LoCoMo")
    parser.add_argument("--out", required=True)
    parser.add_argument("--iters", type=int, help="instead of the steps of a night without flags")
    parser.add_argument(
        "--learning-rate", type=float, default=2e-4, help="of sleep; 50 times it is the poison")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--exchanges", type=int, default=80, help="LoCoMo exchanges for each night")
    parser.add_argument("--honest", type=int, default=20)
    parser.add_argument("--poisoned", type=int, default=5, help="nights of each poison")
    arguments = parser.parse_args()
    arguments.circadia = os.path.abspath(arguments.circadia)
    nights = conversations(arguments)
    with tempfile.TemporaryDirectory() as arguments.cache, open(arguments.out, "a") as out:
        counts = {}
        rounds = max(arguments.honest, arguments.poisoned)
        for number in range(rounds):
            for kind in KINDS:
                limit = arguments.honest if kind == "honest" else arguments.poisoned
                if number >= limit:
                    continue
                record = night(kind, number, nights[number % len(nights)], arguments)
                out.write(json.dumps(record, sort_keys=True) + "\n")
                out.flush()
                right, total = counts.get(kind, (0, 0))
                counts[kind] = (right + bool(record["right"]), total + 1)
                print(kind, number, record["verdict"], flush=True)
        for kind, (right, total) in counts.items():
            print(f"{kind}: {right} of {total} as they should be", flush=True)


if __name__ == "__main__":
    sys.exit(main())
