"""Fits the relevance floor (`RelevanceFloor.swift`) on some conversations and judges it on others.

    relevance.py CIRCADIA FOLDER [--fit 26 30 41] [--judge 42 43] [--cut 0.1]

FOLDER holds `memories-N.jsonl` and `questions-N.jsonl`. Every conversation gets a store of its own. What
`rag search` finds first (three exchanges) is the evidence of a question about that conversation, or it is
what comes up for a question about another conversation or for a request of `requests.txt`. A logistic model
over score, cosine and coverage tells the two apart; its threshold leaves out the share `--cut` of the
evidence of the conversations that it was fitted to. Needs numpy.
"""
import argparse
import json
import os
import re
import subprocess
import tempfile

import numpy

arguments = argparse.ArgumentParser()
arguments.add_argument("circadia")
arguments.add_argument("folder")
arguments.add_argument("--fit", type=int, nargs="+", default=[26, 30, 41])
arguments.add_argument("--judge", type=int, nargs="+", default=[42, 43])
arguments.add_argument("--cut", type=float, default=0.1)
options = arguments.parse_args()
here = os.path.dirname(os.path.abspath(__file__))
SHOWN = 3
LINE = re.compile(r"^  (-?[\d.]+) \(lexical [\d.]+, words ([\d.]+), dense (-?[\d.]+), time -?[\d.]+\)  \S+  (\S+)")


def questions(conversation):
    with open(os.path.join(options.folder, f"questions-{conversation}.jsonl")) as lines:
        rows = [json.loads(line) for line in lines]
    return [row for row in rows if row["evidence"]]


def requests():
    with open(os.path.join(here, "requests.txt")) as lines:
        fitted = [line.strip() for line in lines]
    with open(os.path.join(here, "../../data/eval/harness.jsonl")) as lines:
        rows = [json.loads(line) for line in lines]
    judged = [row["prompt"].replace("\n", " ") for row in rows if "prompt" in row]
    return fitted, judged


def search(store, texts):
    """For each text three rows of score, cosine, coverage and id."""
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        for text in texts:
            file.write(json.dumps({"question": text}) + "\n")
        file.flush()
        output = subprocess.run(
            [options.circadia, "rag", "search", "--queries", file.name, "--top-k", str(SHOWN), "--rag-dir",
             store], capture_output=True, text=True, check=True).stdout
    rows = [match for match in map(LINE.match, output.splitlines()) if match]
    assert len(rows) == SHOWN * len(texts)
    found = [([float(row[1]), float(row[3]), float(row[2])], row[4]) for row in rows]
    return [found[start:start + SHOWN] for start in range(0, len(found), SHOWN)]


def measured(conversations, asked):
    """Rows for evidence, for questions about others, for requests: a list of questions each."""
    kinds = {"own": [], "other": [], "request": []}
    with tempfile.TemporaryDirectory() as folder:
        for conversation in conversations:
            store = os.path.join(folder, str(conversation))
            log = os.path.join(options.folder, f"memories-{conversation}.jsonl")
            subprocess.run(
                [options.circadia, "rag", "ingest", "--all", "--memory-file", log, "--rag-dir", store,
                 "--quiet"], check=True, stdout=subprocess.DEVNULL)
            own = questions(conversation)
            for row, found in zip(own, search(store, [row["question"] for row in own])):
                kinds["own"].append([(features, id in row["evidence"]) for features, id in found])
            foreign = [row["question"] for other in conversations if other != conversation
                       for row in questions(other)]
            for kind, texts in (("other", foreign), ("request", asked)):
                kinds[kind] += [[(features, False) for features, _ in found]
                                for found in search(store, texts)]
    return kinds


def fitted(kinds):
    """Weights of score, cosine and coverage, and what they must reach."""
    parts = [[row for found in kinds["own"] for row, hit in found if hit]]
    parts += [[row for found in kinds[kind] for row, _ in found] for kind in ("other", "request")]
    rows = numpy.array(sum(parts, []))
    right = numpy.repeat([1.0, 0.0, 0.0], [len(part) for part in parts])
    # Evidence weighs as much as all else, foreign questions as much as requests.
    share = numpy.concatenate(
        [numpy.full(len(part), weight / len(part)) for part, weight in zip(parts, (1, 0.5, 0.5))]) * 1000
    mean, spread = rows.mean(0), rows.std(0)
    scaled = numpy.c_[(rows - mean) / spread, numpy.ones(len(rows))]
    weights = numpy.zeros(scaled.shape[1])
    for _ in range(50):
        chance = 1 / (1 + numpy.exp(-scaled @ weights))
        gradient = scaled.T @ (share * (chance - right)) + 1e-3 * weights
        curvature = (scaled * (share * chance * (1 - chance))[:, None]).T @ scaled
        weights -= numpy.linalg.solve(curvature + 1e-3 * numpy.eye(len(weights)), gradient)
    weights = weights[:-1] / spread
    reached = numpy.sort(numpy.array(parts[0]) @ weights)
    return weights, reached[int(options.cut * len(reached))]


def judge(kinds, weights, least):
    passes = lambda features: numpy.dot(features, weights) >= least
    answered = [found for found in kinds["own"] if any(hit for _, hit in found)]
    kept = sum(any(hit and passes(row) for row, hit in found) for found in answered)
    shown = {kind: sum(any(passes(row) for row, _ in found) for found in kinds[kind])
             for kind in ("other", "request")}
    return {"evidence_kept": f"{kept} of {len(answered)}",
            **{kind: f"{count} of {len(kinds[kind])}" for kind, count in shown.items()}}


fit_requests, judge_requests = requests()
training = measured(options.fit, fit_requests)
weights, least = fitted(training)
print("score, cosine, coverage:", numpy.round(weights, 2), "least:", round(float(least), 2))
print("fitted on", options.fit, judge(training, weights, least))
held = measured(options.judge, judge_requests)
print("held out", options.judge, judge(held, weights, least))
print("the program's weights, held out",
      judge(held, numpy.array([8.75, 8.36, 4.26]), 8.82))
