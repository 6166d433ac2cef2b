"""Ends `circadia rag ingest` and `rag clear` with SIGKILL at random moments, then lets them finish.

    crash.py CIRCADIA LOG.jsonl [--kills 50] [--seed 1]

After every kill the store must open, pass PRAGMA integrity_check, hold no exchange twice and none that is
not in the log; an ingest that is let through must bring in all of them, a clear must leave none.
"""
import argparse
import json
import os
import random
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
with open(options.log) as lines:
    wanted = {json.loads(line)["id"] for line in lines if line.strip()}


def ids(folder):
    """The ids in the store; its state is checked on the way."""
    file = os.path.join(folder, "memory.sqlite")
    if not os.path.exists(file):
        return []
    database = sqlite3.connect(file)
    try:
        (state,) = database.execute("PRAGMA integrity_check").fetchone()
        assert state == "ok", state
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
        if "exchange" not in tables:
            return []  # killed before the schema was there
        found = [row[0] for row in database.execute("SELECT id FROM exchange")]
        assert len(found) == len(set(found)), "an exchange is there twice"
        assert set(found) <= wanted, "an exchange that the log does not have"
        if "vector" in tables and "block" in tables:
            orphans = database.execute(
                "SELECT count(*) FROM vector WHERE number NOT IN (SELECT number FROM exchange)").fetchone()
            assert orphans == (0,), "vectors without an exchange"
        return found
    finally:
        database.close()


def run(command, folder, kill_after=None):
    """Whether the command was killed."""
    process = subprocess.Popen(
        [options.circadia, "rag", *command, "--rag-dir", folder, "--quiet"],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
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


ingest = ["ingest", "--all", "--memory-file", options.log]
killed = {"ingest": 0, "clear": 0}
with tempfile.TemporaryDirectory() as folder:
    folder = os.path.join(folder, "rag")
    start = time.monotonic()
    run(ingest, folder)
    whole = time.monotonic() - start
    start = time.monotonic()
    run(["clear"], folder)
    clearing = time.monotonic() - start
    while sum(killed.values()) < options.kills:
        for command, name, seconds in ((ingest, "ingest", whole), (["clear"], "clear", clearing)):
            before = len(ids(folder))
            if run(command, folder, kill_after=generator.uniform(0, seconds)):
                killed[name] += 1
            found = len(ids(folder))
            assert name == "clear" or found >= before, "an exchange was lost"
            assert name == "ingest" or found in (0, before), "half a clear"
            if name == "clear" or generator.random() < 0.3:
                run(command, folder)
                assert len(ids(folder)) == (0 if name == "clear" else len(wanted))
print(json.dumps({"killed": killed, "exchanges": len(wanted), "ingest_seconds": round(whole, 2)}))
