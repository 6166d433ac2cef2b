#!/usr/bin/env python3
"""Preferences by context distillation, on the real model.

Ten invented logs state one preference each (data/eval/preferences.jsonl), after ten ordinary exchanges in which
the answers do not show it. Each log trains an adapter of its own. The benchmark counts the answers to 20 unseen
questions that show the preference. It asks the base model, the base model with the preference in its prompt, and
the model after nights, without it in the prompt. The preference is in the prompt as a system message or in an
earlier turn, and the better of the two counts. Each preference gives a line of results, with the command of its
nights.

    python3 Benchmarks/preferences.py --base --out Benchmarks/results/preferences.jsonl
    python3 Benchmarks/preferences.py --nights 3 --out Benchmarks/results/preferences.jsonl
    python3 Benchmarks/preferences.py --out Benchmarks/results/preferences.jsonl --summary

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


# Tokens after which an answer shows a preference or does not; 160 where it may still come. What a night reaches
# may be counted too low by that, never too high.
TOKENS = {"short": 48, "greeting": 16, "name": 48, "emoji": 48}


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

    def counts(self, *words):
        """Answers that show each preference, of how many."""
        report = self.circadia("eval-preferences", *words)
        return {row["id"]: (row["score"]["passed"], row["score"]["total"])
                for row in report["preferences"]}

    def base(self, tasks):
        """The base model's rows, told of the preference and not."""
        only = [word for task in tasks for word in ("--only", task["id"])]
        for stated in ("absent", "system", "chat"):
            counts = self.counts("--no-adapter", "--stated", stated, *only)
            for task in tasks:
                shown, of = counts[task["id"]]
                yield {"kind": "base", "preference": task["id"], "stated": stated, "shown": shown,
                       "of": of, "command":
                       f"circadia eval-preferences --only {task['id']} --no-adapter --stated {stated}"}

    def nights(self, task, folder):
        """A row after the first and after the last night."""
        log = os.path.join(folder, "log.jsonl")
        adapter = os.path.join(folder, "adapters", "nightly_update")
        write_log(log, task["statement"])
        sleep = ["sleep", "--report-questions", "0", *self.arguments.sleep]
        nights = []
        for night in range(1, self.arguments.nights + 1):
            report = self.circadia(*sleep, "--memory-file", log, "--adapter-dir", adapter)
            nights.append({key: report.get(key) for key in (
                "accepted", "verdict", "steps", "preference_pairs", "preference_pairs_held_out",
                "preference_refused", "seconds")})
            if night not in (1, self.arguments.nights):
                continue
            shown, of = self.counts(
                "--only", task["id"], "--adapter-dir", adapter, "--max-tokens",
                str(TOKENS.get(task["id"], 160)))[task["id"]]
            yield {"kind": "nights", "preference": task["id"], "nights": list(nights),
                   "shown": shown, "of": of,
                   "recipe": " ".join(self.arguments.sleep) or "default",
                   "command": "circadia " + " ".join([*sleep, "--memory-file log.jsonl"])}


def summary(rows):
    """The issue's figures, of the last row of each measurement; kinds without all of them are left out."""
    base, night = {}, {}
    for row in rows:
        share = row["shown"] / row["of"]
        if row["kind"] == "base":
            base.setdefault(row["preference"], {})[row["stated"]] = share
        else:
            night.setdefault(
                (row["recipe"], len(row["nights"])), {})[row["preference"]] = share
    for (recipe, count), shares in sorted(night.items()):
        kinds = [kind for kind in shares if len(base.get(kind, {})) == 3]
        if not kinds:
            continue
        untold = sum(base[kind]["absent"] for kind in kinds) / len(kinds)
        told = sum(max(base[kind]["system"], base[kind]["chat"]) for kind in kinds) / len(kinds)
        learnt = sum(shares[kind] for kind in kinds) / len(kinds)
        for kind in kinds:
            print("{:10} untold {:4.0%}  system {:4.0%}  chat {:4.0%}  learnt {:4.0%}".format(
                kind, base[kind]["absent"], base[kind]["system"], base[kind]["chat"], shares[kind]))
        print(f"{recipe}: {len(kinds)} preferences, nights {count}: untold {untold:.3f}, told {told:.3f}, "
              f"learnt {learnt:.3f}\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--circadia", default=os.path.join(ROOT, ".build/release/circadia"))
    parser.add_argument("--model")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--nights", type=int, default=1)
    parser.add_argument("--base", action="store_true", help="measure the base model, not nights")
    parser.add_argument("--summary", action="store_true", help="measure nothing, say what there is")
    parser.add_argument("--only", action="append", help="a preference's id")
    parser.add_argument("--out", required=True, help="a file for the figures, one JSON object a line")
    parser.add_argument("--keep", help="a folder for each preference's log and adapters")
    parser.add_argument("sleep", nargs="*", help="flags of the nights, after --")
    arguments = parser.parse_args()
    arguments.circadia = os.path.abspath(arguments.circadia)
    measurement = Measurement(arguments)
    with open(os.path.join(ROOT, "data/eval/preferences.jsonl")) as file:
        tasks = [json.loads(line) for line in file]
    tasks = [task for task in tasks if not arguments.only or task["id"] in arguments.only]

    def keep(rows):
        for row in rows:
            with open(arguments.out, "a") as file:
                file.write(json.dumps(row, sort_keys=True) + "\n")

    if arguments.base:
        keep(measurement.base(tasks))
    elif not arguments.summary:
        for task in tasks:
            with tempfile.TemporaryDirectory() as folder:
                if arguments.keep:
                    folder = os.path.join(os.path.abspath(arguments.keep), task["id"])
                    os.makedirs(folder)
                keep(measurement.nights(task, folder))
    with open(arguments.out) as file:
        summary(map(json.loads, file))


if __name__ == "__main__":
    main()
