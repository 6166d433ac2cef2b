#!/usr/bin/env python3
"""Ends whole nights with SIGKILL at random moments, then lets the next one finish.

    kills.py CIRCADIA [--kills 50] [--seed 1] [--model smollm2-135m|tiny] [--minutes N] [--out FILE] [-- FLAGS]

A night is `circadia sleep --rag` and `circadia report`, on two days of the sample week: the first night is held
once and kept as “old”, the second once without a kill, whose weights are “new”. Then, for every kill, the first
day's folder comes back, the second night is killed with all that it started, and these are checked: the adapter in use is
whole and byte for byte the old or the new one; so is every kept version; the store passes PRAGMA
integrity_check and holds nothing twice, and the log has not changed. Then a person's next night, with --resume where
one is unfinished in every second round, must end with exit code 0, and in the very weights of the night that was
not killed, where the killed one had not ended; the store must hold what it would have held.

Moments are spread over the whole night, in every second round over what follows training: judging, the diary,
saving, promotion and the report take a small share of a night only. `--model tiny` is a random model of a
megabyte, whose nights take seconds but pass no gate. FLAGS are flags of `circadia sleep`.
"""
import argparse
import collections
import hashlib
import json
import os
import random
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time

import tiny_model

HERE = os.path.dirname(os.path.abspath(__file__))
SAMPLES = os.path.join(HERE, "..", "..", "data", "samples", "week.jsonl")
# A short night that still judges, answers questions and writes checkpoints.
SHORT = ["--iters", "3", "--batch-size", "2", "--max-seq-len", "128", "--checkpoint-every", "1",
         "--report-questions", "1", "--report-tokens", "8"]

arguments = argparse.ArgumentParser()
arguments.add_argument("circadia")
arguments.add_argument("--kills", type=int, default=50)
arguments.add_argument("--seed", type=int, default=1)
arguments.add_argument("--model", default="smollm2-135m")
arguments.add_argument("--minutes", type=float, default=1e9, help="end with fewer kills after so long")
arguments.add_argument("--out", help="JSON lines: one a kill, and the summary")
options, flags = arguments.parse_known_args()
SHORT += [flag for flag in flags if flag != "--"]
program = os.path.abspath(options.circadia)
generator = random.Random(options.seed)

with open(SAMPLES) as file:
    week = [line for line in file]
DAYS = [week[:20], week[:40]]


def path(folder, *names):
    return os.path.join(folder, *names)


def digest(file):
    with open(file, "rb") as data:
        return hashlib.sha256(data.read()).hexdigest()


def check_safetensors(file):
    """Its header must parse and its tensors fill it to the last byte."""
    with open(file, "rb") as data:
        (length,) = struct.unpack("<Q", data.read(8))
        header = json.loads(data.read(length))
    end = max(entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__")
    assert os.path.getsize(file) == 8 + length + end, f"{file} is cut off"


FILES = {"adapters.safetensors", "adapter_config.json", "night.json", "training_manifest.json"}


def check_adapter(folder):
    """All four files, each whole; returns the weights' digest."""
    found = set(os.listdir(folder))
    assert found == FILES, f"{folder}: {found}"
    for name in FILES - {"adapters.safetensors"}:
        with open(path(folder, name)) as file:
            json.load(file)
    check_safetensors(path(folder, "adapters.safetensors"))
    return digest(path(folder, "adapters.safetensors"))


def check_store(folder):
    """The ids in the store; its state is checked on the way."""
    file = path(folder, "data", "rag_memory", "memory.sqlite")
    database = sqlite3.connect(file)
    try:
        (state,) = database.execute("PRAGMA integrity_check").fetchone()
        assert state == "ok", state
        found = [row[0] for row in database.execute("SELECT id FROM exchange")]
        assert len(found) == len(set(found)), "an exchange is in the store twice"
        return set(found)
    finally:
        database.close()


def check(folder, allowed):
    """Everything that must hold at any moment; returns the weights in use."""
    adapters = path(folder, "adapters")
    weights = check_adapter(path(adapters, "nightly_update"))
    assert weights in allowed, "the adapter in use is neither the old nor the new one"
    with open(path(adapters, "nightly_update", "night.json")) as file:
        number = json.load(file)["version"]
    for name in os.listdir(path(adapters, "versions")):
        if name.startswith("."):
            continue  # being written, or left by a kill: no list shows it
        version = check_adapter(path(adapters, "versions", name))
        assert int(name) != number or version == weights, "the adapter in use is not its version"
    with open(path(folder, "data", "memories.jsonl")) as file:
        assert file.readlines() == DAYS[1], "the log has changed"
    with open(path(adapters, "nights.jsonl")) as file:
        nights = [json.loads(line)["version"] for line in file]
    assert len(nights) == len(set(nights)), "a night is listed twice"
    check_store(folder)
    return weights


def phase(folder, errors):
    """How far the killed night was, by what it had said and written."""
    adapters = path(folder, "adapters")
    with open(path(adapters, "nights.jsonl")) as file:
        if len(file.readlines()) > 1:
            return "report"
    if os.path.isdir(path(adapters, "versions", "0002")):
        return "promotion"
    if os.path.exists(path(adapters, "nights", "0002.json")):
        return "saving"
    if "judged:" in errors:  # which no night says that is not judged
        return "diary"
    if f"step {steps} of {steps}" in errors:
        return "gate"
    if "step 1 of" in errors:
        return "training"
    if "store:" in errors:
        return "preparation"
    return "reading and ingest"


def night(folder, more=(), kill=None):
    """Holds a night and writes its report.

    `kill` is told of the text on standard error and gives the moment to kill at, or None. Returns the exit
    code, None where it was killed, what was said, and the time of the last step.
    """
    sleep = [program, "sleep", "--model", model, "--rag", *SHORT, *more]
    waiting = [sleep, [program, "report", "--quiet"]]
    said = path(folder, "stderr")
    start = time.monotonic()
    trained = None
    moment = None
    process = None
    while True:
        if process is None or process.poll() == 0 and waiting:
            with open(said, "a") as errors:
                process = subprocess.Popen(
                    waiting.pop(0), cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                    stderr=errors, start_new_session=True)
        if process.poll() is not None:
            break
        now = time.monotonic() - start
        if trained is None:
            with open(said) as errors:
                if f"step {steps} of {steps}" in errors.read():
                    trained = now
        if kill and moment is None:
            moment = kill(trained)
        if moment is not None and now >= moment:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            break
        time.sleep(0.002)
    with open(said) as errors:
        text = errors.read()
    os.remove(said)
    seconds = time.monotonic() - start
    code = process.returncode
    return (None if code == -signal.SIGKILL else code), text, trained, seconds


def prepare(folder):
    """The first night, held once; the folder is copied for every round."""
    os.makedirs(path(folder, "data"))
    with open(path(folder, "data", "memories.jsonl"), "w") as file:
        file.writelines(DAYS[0])
    code, errors, _, _ = night(folder)
    assert code == 0, errors
    with open(path(folder, "data", "memories.jsonl"), "w") as file:
        file.writelines(DAYS[1])
    return check_adapter(path(folder, "adapters", "nightly_update"))


# Judging harm takes minutes, of which a kill sees nothing else.
SHORT.append("--no-gate" if options.model == "tiny" else "--quick-gate")
model = options.model
steps = int(SHORT[SHORT.index("--iters") + 1])


def main():
    global model
    begun = time.monotonic()
    rows = []
    with tempfile.TemporaryDirectory() as root:
        if model == "tiny":
            model = path(root, "tiny")
            tiny_model.write_with_usual_tokenizer(model)
        first = path(root, "first")
        os.makedirs(first)
        old = prepare(first)

        whole = path(root, "whole")
        shutil.copytree(first, whole)
        code, errors, trained, seconds = night(whole)
        assert code == 0, errors
        new = check(whole, {old, None} | {check_adapter(path(whole, "adapters", "nightly_update"))})
        assert new != old
        stored = check_store(whole)
        rest = seconds - trained
        print(f"a night takes {seconds:.1f} s, {rest:.1f} of them after training", file=sys.stderr)

        while len(rows) < options.kills and time.monotonic() - begun < 60 * options.minutes:
            number = len(rows)
            folder = path(root, f"round-{number}")
            shutil.copytree(first, folder)
            after = number % 2 == 1
            delay = generator.uniform(0, rest if after else seconds)

            def kill(trained):
                if not after:
                    return delay
                return None if trained is None else trained + delay

            code, errors, _, _ = night(folder, kill=kill)
            if code is not None:
                shutil.rmtree(folder)  # it had ended before
                continue
            row = {"kill": number, "phase": phase(folder, errors)}
            weights = check(folder, {old, new})
            row["in_use"] = "new" if weights == new else "old"
            had_ended = row["phase"] == "report"
            unfinished = os.path.exists(path(folder, "adapters", ".training", "nightly_update", "night.json"))
            resume = unfinished and (number // 2) % 2 == 0
            row["next"] = "--resume" if resume else "plain"
            code, errors, _, _ = night(folder, ["--resume"] if resume else [])
            assert code == 0, (row, errors)
            final = check_adapter(path(folder, "adapters", "nightly_update"))
            check(folder, {final})
            # A plain night that follows one whose version was kept promotes that first and goes on from it.
            went_on = had_ended or not resume and row["phase"] == "promotion"
            assert went_on or final == new, (row, errors)
            assert final != old
            assert check_store(folder) == stored, "the store holds something else"
            assert not os.path.exists(path(folder, "adapters", ".training")), "an unfinished night is left"
            assert os.path.exists(path(folder, "logs", "report.html"))
            strays = [
                name for place in ("adapters", "adapters/versions", "adapters/nightly_update")
                for name in os.listdir(path(folder, place))
                if name.startswith(".") and name != ".sleep.lock"]
            assert not strays, (row, strays)
            rows.append(row)
            print(json.dumps(row), file=sys.stderr)
            shutil.rmtree(folder)
    result = {
        "model": options.model, "kills": len(rows), "phases": dict(collections.Counter(row["phase"] for row in rows)),
        "in_use_after": dict(collections.Counter(row["in_use"] for row in rows)),
        "next_night": dict(collections.Counter(row["next"] for row in rows)),
        "seconds_of_a_night": round(seconds, 1), "seconds": round(time.monotonic() - begun)}
    if options.out:
        with open(options.out, "w") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows + [{"summary": result}])
    print(json.dumps(result))


main()
