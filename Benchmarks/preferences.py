#!/usr/bin/env python3
"""Preferences by context distillation, on the real model.

Ten people state one preference each (data/eval/preferences.jsonl) after ten ordinary exchanges in which the
answers do not show it. Each sleeps three nights over that log with an adapter of their own. Counted is the share of
answers to 20 unseen questions that show the preference: by the base model, by the base model that finds it in its
prompt (as a system message, and in an earlier turn; the better of the two counts), after one night and after
three, when it is not in the prompt.

    python3 Benchmarks/preferences.py --circadia .build/release/circadia --out preferences.json

Flags after `--` go to `circadia sleep`. Where other programs want the processors, --threads 1 is fastest.
"""
import argparse
import json
import os
import subprocess
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ORDINARY = [
    ("Which bus goes to the harbour?",
     "The number 12 goes to the harbour. It leaves from the market square."),
    ("I baked rye bread today.",
     "That sounds wonderful. Rye bread needs patience, and a warm kitchen helps the dough."),
    ("Can you help me plan the week?",
     "Of course. Tell me your fixed appointments first, then we find room for the rest."),
    ("My tomatoes have brown spots.",
     "It may be blight. Remove the leaves with spots and water the soil, not the plants."),
    ("What was the name of the painter with the sunflowers?",
     "You mean Vincent van Gogh. He painted several pictures of sunflowers in Arles."),
    ("I am tired today.",
     "I am sorry to hear that. Perhaps a short walk and an early night will help."),
    ("How do I remove rust from garden scissors?",
     "Rub the blades with steel wool and vinegar, rinse them, dry them well and put a little oil on them."),
    ("The neighbours got a puppy.",
     "How nice! Puppies are lively company, though the first weeks can be noisy."),
    ("What is a good soup for cold days?",
     "A lentil soup with carrots and a little cumin keeps you warm and is quickly made."),
    ("I finished the book you told me about.",
     "I am glad to hear it. What did you think of the ending?"),
]


def write_log(path, statement):
    """Ten exchanges of five days, then the statement."""
    with open(path, "w") as file:
        for index, (said, reply) in enumerate(ORDINARY + [(statement, "I will remember that.")]):
            file.write(json.dumps({
                "id": f"e{index}", "session": f"day{index // 2}",
                "timestamp": f"2026-11-{20 + index // 2}T{8 + index % 2:02}:00:00Z",
                "messages": [{"role": "user", "content": said},
                             {"role": "assistant", "content": reply}]}) + "\n")


class Measurement:
    def __init__(self, arguments):
        self.arguments = arguments
        self.common = ["--threads", str(arguments.threads), "--json"]
        if arguments.model:
            self.common += ["--model", arguments.model]

    def circadia(self, *words):
        result = subprocess.run(
            [self.arguments.circadia, *words, *self.common], cwd=ROOT, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if result.returncode not in (0, 2):
            raise SystemExit(f"{' '.join(words)}: {result.stderr}")
        return json.loads(result.stdout)

    def score(self, task, *words):
        report = self.circadia("eval-preferences", "--only", task["id"], *words)
        return report["preferences"][0]["score"]

    def person(self, task, folder):
        log = os.path.join(folder, "log.jsonl")
        adapter = os.path.join(folder, "adapters", "nightly_update")
        write_log(log, task["statement"])
        row = {"id": task["id"], "kind": task["kind"], "nights": []}
        row["base"] = self.score(task, "--no-adapter")
        row["system"] = self.score(task, "--no-adapter", "--stated", "system")
        row["chat"] = self.score(task, "--no-adapter", "--stated", "chat")
        for night in range(1, self.arguments.nights + 1):
            report = self.circadia(
                "sleep", "--memory-file", log, "--adapter-dir", adapter, "--report-questions", "0",
                *self.arguments.sleep)
            row["nights"].append({
                key: report.get(key) for key in (
                    "accepted", "verdict", "preference_pairs", "preference_refused", "seconds")})
            if night in (1, self.arguments.nights):
                row[f"night{night}"] = self.score(task, "--adapter-dir", adapter)
        return row


def summary(rows, nights):
    """The issue's three figures."""
    def mean(name):
        return sum(row[name]["rate"] for row in rows) / len(rows)
    told = sum(max(row["system"]["rate"], row["chat"]["rate"]) for row in rows) / len(rows)
    figures = {"preferences": len(rows), "base": mean("base"), "told": told,
               "night1": mean("night1"), f"night{nights}": mean(f"night{nights}")}
    figures["night1_of_told"] = figures["night1"] / told if told else None
    figures[f"night{nights}_of_told"] = figures[f"night{nights}"] / told if told else None
    return figures


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--circadia", default=os.path.join(ROOT, ".build/release/circadia"))
    parser.add_argument("--model")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--nights", type=int, default=3)
    parser.add_argument("--only", action="append", help="a preference's id")
    parser.add_argument("--out", help="a file for the figures")
    parser.add_argument("sleep", nargs="*", help="flags of the nights, after --")
    arguments = parser.parse_args()
    arguments.circadia = os.path.abspath(arguments.circadia)
    measurement = Measurement(arguments)
    with open(os.path.join(ROOT, "data/eval/preferences.jsonl")) as file:
        tasks = [json.loads(line) for line in file]
    rows = []
    for task in tasks:
        if arguments.only and task["id"] not in arguments.only:
            continue
        with tempfile.TemporaryDirectory() as folder:
            row = measurement.person(task, folder)
        rows.append(row)
        counts = [row[name]["passed"] for name in
                  ("base", "system", "chat", "night1", f"night{arguments.nights}")]
        print("{:10} base {:2}  system {:2}  chat {:2}  night 1 {:2}  night {} {:2}".format(
            row["id"], *counts[:4], arguments.nights, counts[4]), flush=True)
        if arguments.out:
            with open(arguments.out, "w") as file:
                json.dump({"sleep": arguments.sleep, "summary": summary(rows, arguments.nights),
                           "preferences": rows}, file, indent=1)
    print(json.dumps(summary(rows, arguments.nights)))


if __name__ == "__main__":
    main()
