"""Ends `circadia rag ingest`, `forget` and `rag clear` with SIGKILL at random moments, then lets them finish.

    crash.py CIRCADIA LOG.jsonl [--kills 50] [--seed 1]

Each of the three is ended `--kills` times. After every kill the store must open, pass PRAGMA integrity_check,
hold no exchange twice and none that is not in the log. An ingest that is let through must bring in all of
them, a clear must leave none, and a forget must leave all others, in the log and in the store; undone, both
must be as they were.
"""
import argparse
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time

arguments = argparse.ArgumentParser()
arguments.add_argument("circadia")
arguments.add_argument("log")
arguments.add_argument("--kills", type=int, default=50)
arguments.add_argument("--seed", type=int, default=1)
options = arguments.parse_args()
generator = random.Random(options.seed)


def logged(log):
    """The ids in the log, each of which must be there once."""
    with open(log) as lines:
        found = [json.loads(line)["id"] for line in lines if line.strip()]
    assert len(found) == len(set(found)), "a line is there twice"
    return set(found)


wanted = logged(options.log)


def stored(folder):
    """The ids in the store; its state is checked on the way."""
    file = os.path.join(folder, "rag", "memory.sqlite")
    if not os.path.exists(file):
        return set()
    database = sqlite3.connect(file)
    try:
        (state,) = database.execute("PRAGMA integrity_check").fetchone()
        assert state == "ok", state
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
        if "exchange" not in tables:
            return set()  # killed before the schema was there
        found = [row[0] for row in database.execute("SELECT id FROM exchange")]
        assert len(found) == len(set(found)), "an exchange is there twice"
        assert set(found) <= wanted, "an exchange that the log does not have"
        if "vector" in tables:
            orphans = database.execute(
                "SELECT count(*) FROM vector WHERE number NOT IN (SELECT number FROM exchange)").fetchone()
            assert orphans == (0,), "vectors without an exchange"
        return set(found)
    finally:
        database.close()


def run(command, folder, kill_after=None):
    """Whether the command was killed."""
    flags = ["--rag-dir", os.path.join(folder, "rag"), "--quiet"]
    if command[0] == "forget":
        flags += ["--adapter-dir", os.path.join(folder, "adapters", "nightly_update")]
    if command[:2] != ["rag", "clear"]:
        flags += ["--memory-file", os.path.join(folder, "log.jsonl")]
    process = subprocess.Popen(
        [options.circadia, *command, *flags], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    if kill_after is not None:
        try:
            process.wait(kill_after)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            return True
    error = process.communicate()[1].decode()
    assert process.returncode == 0, error
    return False


def seconds(command, folder):
    start = time.monotonic()
    run(command, folder)
    return time.monotonic() - start


INGEST = ["rag", "ingest", "--all"]
CLEAR = ["rag", "clear"]
killed = {"ingest": 0, "forget": 0, "clear": 0}
inside = 0
with tempfile.TemporaryDirectory() as folder:
    log = os.path.join(folder, "log.jsonl")
    shutil.copy(options.log, log)
    with open(log, "rb") as file:
        original = file.read()
    ingesting = seconds(INGEST, folder)
    some = ["forget", "--yes"] + [part for id in sorted(wanted)[:20] for part in ("--id", id)]
    forgetting = seconds(some, folder)
    run(["forget", "--undo"], folder)
    clearing = seconds(CLEAR, folder)

    while killed["ingest"] < options.kills:
        before = stored(folder)
        killed["ingest"] += run(INGEST, folder, generator.uniform(0, ingesting))
        assert stored(folder) >= before, "an exchange was lost"
        if generator.random() < 0.3 or stored(folder) == wanted:
            run(INGEST, folder)
            assert stored(folder) == wanted
            run(CLEAR, folder)
            assert not stored(folder)

    run(INGEST, folder)
    while killed["forget"] < options.kills:
        gone = set(generator.sample(sorted(wanted), 20))
        command = ["forget", "--yes"] + [part for id in sorted(gone) for part in ("--id", id)]
        was_killed = run(command, folder, generator.uniform(0, forgetting))
        killed["forget"] += was_killed
        inside += os.path.exists(log + ".forgetting")
        assert logged(log) in (wanted, wanted - gone), "half a line more or less"
        stored(folder)
        # Completes what was begun, or does it; nothing is left to do where it had done all.
        if os.path.exists(log + ".forgetting"):
            run(INGEST, folder)
        elif logged(log) == wanted:
            run(command, folder)
        assert logged(log) == wanted - gone and stored(folder) == wanted - gone
        run(["forget", "--undo"], folder)
        with open(log, "rb") as file:
            assert file.read() == original
        assert stored(folder) == wanted

    while killed["clear"] < options.kills:
        before = stored(folder)
        killed["clear"] += run(CLEAR, folder, generator.uniform(0, clearing))
        assert stored(folder) in (set(), before), "half a clear"
        run(CLEAR, folder)
        assert not stored(folder)
        run(INGEST, folder)
        assert stored(folder) == wanted
print(json.dumps({
    "killed": killed, "forgets_killed_inside_the_work": inside, "exchanges": len(wanted),
    "seconds": {"ingest": round(ingesting, 2), "forget": round(forgetting, 2), "clear": round(clearing, 2)}}))
