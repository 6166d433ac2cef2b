#!/usr/bin/env python3
"""A year of nights, one after the other: what they take, leave on the disk and lose.

    year.py CIRCADIA [--nights 365] [--model DIR] [--no-rag] [--direct] [--seed 1] [--out FILE] [--folder DIR]
        [--go-on] [-- FLAGS]

Each day a person says 4 to 10 things, made of the sample week: questions, code, links, corrections, marks,
messages that must not train, secrets; on one day in ten nothing. Then the schedule starts its night, exactly
as cron does (`circadia schedule run --at 03:00`); only its note of the last night is set back, since the year
passes in minutes. --direct starts what the schedule would, `sleep --only-if-due` and `report`, without its low
priority: for a machine that has other work. --go-on takes up the year that was interrupted in --folder. Without --model the model is a tiny random one: what is measured is what grows, not what is
learnt. FLAGS are flags of `circadia sleep`.

At the end it must hold: every exchange is in the log, every one that the router sends to the store is in the
store once, and every one that may train was learnt or is held out; the last nights take no more processor
time and memory than those of spring, and the disk holds no more than the person's own text asks for.
"""
import argparse
import datetime
import json
import os
import random
import resource
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

import tiny_model

HERE = os.path.dirname(os.path.abspath(__file__))
SAMPLES = os.path.join(HERE, "..", "..", "data", "samples", "week.jsonl")

arguments = argparse.ArgumentParser()
arguments.add_argument("circadia")
arguments.add_argument("--nights", type=int, default=365)
arguments.add_argument("--model", help="a model's folder; a tiny random one otherwise")
arguments.add_argument("--no-rag", action="store_true", help="fill no retrieval store")
arguments.add_argument("--direct", action="store_true", help="without the schedule and its low priority")
arguments.add_argument("--seed", type=int, default=1)
arguments.add_argument("--out", help="JSON lines: one for about ten nights, and the summary")
arguments.add_argument("--folder", help="work here and leave everything")
arguments.add_argument("--go-on", action="store_true", help="with the year in --folder")
options, flags = arguments.parse_known_args()
flags = [flag for flag in flags if flag != "--"]
program = os.path.abspath(options.circadia)
generator = random.Random(options.seed)

with open(SAMPLES) as file:
    samples = [json.loads(line)["messages"] for line in file]
PLACES = ["harbour", "garden", "library", "workshop", "market", "station", "meadow", "kitchen", "ferry"]
NAMES = ["Ann", "Olly", "Maud", "Priya", "Jonas", "Edda", "Tomasz", "Lucia", "Sam", "Noor"]


def exchange(number, day, session, minute):
    """One exchange, unlike every other by its day and number; every 25th is kept out of training."""
    user, reply = (message["content"] for message in generator.choice(samples)[:2])
    place, name = generator.choice(PLACES), generator.choice(NAMES)
    user = f"I was at the {place} with {name} on day {number}. {user}"
    tags = []
    kind = generator.random()
    if kind < 0.08:
        reply += f"\n\n```swift\nlet visits{number} = [{number}, {number + 1}].map {{ $0 * 2 }}\n```"
    elif kind < 0.14:
        user += f" See https://example.org/{place}/{number} please."
    elif kind < 0.20:
        user = f"No, I meant the {place}, not the {generator.choice(PLACES)}, number {number}."
    elif kind < 0.24:
        tags = ["no-train"]
    elif kind < 0.27:
        tags = [generator.choice(["good", "bad"])]
    elif kind < 0.29:
        user += f" My password is Correct-Horse-{number}-Staple!"
    when = datetime.datetime(day.year, day.month, day.day, 8, tzinfo=datetime.timezone.utc)
    line = {
        "id": f"year-{number:05}", "session": session,
        "timestamp": (when + datetime.timedelta(minutes=minute)).isoformat().replace("+00:00", "Z"),
        "messages": [{"role": "user", "content": user}, {"role": "assistant", "content": reply}]}
    if tags:
        line["tags"] = tags
    return line


def day_of_chats(day, first):
    """What was said on a day: 4 to 10 exchanges in one to three conversations, or nothing."""
    if generator.random() < 0.1:
        return []
    count = generator.randint(4, 10)
    conversations = generator.randint(1, 3)
    return [
        exchange(first + i, day, f"{day}-{i * conversations // count}", 7 * i) for i in range(count)]


def size_of(folder):
    """Bytes of all files below a folder."""
    return sum(
        os.path.getsize(os.path.join(path, name))
        for path, _, names in os.walk(folder) for name in names)


def versions_in(folder):
    path = os.path.join(folder, "adapters", "versions")
    return len([name for name in os.listdir(path) if name.isdigit()]) if os.path.isdir(path) else 0


def stored_ids(folder):
    """The ids in the store, each once."""
    file = os.path.join(folder, "data", "rag_memory", "memory.sqlite")
    database = sqlite3.connect(file)
    try:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        found = [row[0] for row in database.execute("SELECT id FROM exchange")]
    finally:
        database.close()
    assert len(found) == len(set(found)), "an exchange is in the store twice"
    return set(found)


def night(folder, model):
    """Holds one as the schedule does; what it took."""
    # The night that was due yesterday evening is not held yet.
    os.makedirs(os.path.join(folder, "logs"), exist_ok=True)
    with open(os.path.join(folder, "logs", "schedule.json"), "w") as file:
        json.dump({"settled": "2020-01-01T00:00:00Z"}, file)
    sleep = ["--model", model, *([] if options.no_rag else ["--rag"]), *flags]
    command = [program, "schedule", "run", "--folder", folder, "--at", "03:00", "--", *sleep]
    if options.direct:
        script = '"$0" sleep --yield-to-chat --only-if-due "$@" && "$0" report --quiet'
        command = ["sh", "-c", script, program, *sleep]
    start = time.monotonic()
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=folder, stdin=subprocess.DEVNULL)
    output, errors = process.stdout.read().decode(), process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    # Of the night and all that it started.
    return {
        "exit": process.returncode, "says": (output.strip() or errors.strip()).split("\n")[0],
        "seconds": time.monotonic() - start, "processor_seconds": usage.ru_utime + usage.ru_stime,
        "peak_bytes": usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)}


def year(folder, model):
    """All nights, one after the other."""
    today = datetime.date.today()
    log = os.path.join(folder, "data", "memories.jsonl")
    os.makedirs(os.path.dirname(log), exist_ok=True)
    said, nights = [], []
    rows = os.path.join(folder, "year.jsonl")
    if options.go_on:
        with open(rows) as file:
            nights = [json.loads(line) for line in file]
    held = {row["night"] for row in nights}
    known = set()
    if options.go_on:
        with open(log) as file:
            known = {json.loads(line)["id"] for line in file}
    for number in range(options.nights):
        day = today - datetime.timedelta(days=options.nights - number)
        chats = day_of_chats(day, len(said) + 1)
        with open(log, "a") as file:
            file.writelines(json.dumps(line) + "\n" for line in chats if line["id"] not in known)
        said += chats
        if number + 1 in held:
            continue
        row = {"night": number + 1, "said": len(chats), "said_so_far": len(said)}
        if said:
            row |= night(folder, model)
            for part in ("data", "adapters", "logs"):
                row[part + "_bytes"] = size_of(os.path.join(folder, part))
            row["log_bytes"] = os.path.getsize(log)
            row["versions"] = versions_in(folder)
            nights.append(row)
            with open(rows, "a") as file:
                file.write(json.dumps(row) + "\n")
            print(f"{row['night']:4} {row['seconds']:6.2f} s {row['processor_seconds']:6.2f} s of processor "
                  f"{row['peak_bytes'] / 1e6:6.0f} MB, {row['adapters_bytes'] / 1e6:7.2f} MB of adapters  "
                  f"{row['says'][:90]}", file=sys.stderr)
    return said, nights


def check_nothing_lost(folder, said, nights):
    """Every exchange is where it belongs; returns counts."""
    log = os.path.join(folder, "data", "memories.jsonl")
    with open(log) as file:
        assert [json.loads(line) for line in file] == said, "the log is not what was said"
    routes = subprocess.run(
        [program, "route", "--json", "--quiet", "--memory-file", log], check=True, capture_output=True,
        text=True).stdout
    routes = [json.loads(line) for line in routes.splitlines()]
    assert [route["id"] for route in routes] == [line["id"] for line in said]
    counts = {"said": len(said), "stored": None}
    if not options.no_rag:
        wanted = {route["id"] for route in routes if "store" in route["destination"]}
        stored = stored_ids(folder)
        assert stored == wanted, f"store: {len(wanted - stored)} missing, {len(stored - wanted)} too many"
        counts["stored"] = len(stored)
    # The last night that was held knows of everything that had been said by then.
    diaries = os.path.join(folder, "adapters", "nights")
    with open(os.path.join(diaries, max(os.listdir(diaries)))) as file:
        diary = json.load(file)
    report, tally = diary["report"], diary["routing"]
    held = [row for row in nights if "held-out loss" in row["says"]]
    assert tally["exchanges"] == held[-1]["said_so_far"]
    trained = sum(route["trains"] for route in routes[:tally["exchanges"]])
    assert tally["exchanges"] - tally["leftOut"] == trained
    adapter = os.path.join(folder, "adapters", "nightly_update")
    with open(os.path.join(adapter, "training_manifest.json")) as file:
        learnt = set(json.load(file)["ledger"]["entries"])
    with open(os.path.join(adapter, "night.json")) as file:
        held_out = set(json.load(file)["held_out"])
    counts |= {"trained": len(learnt), "held_out": len(held_out), "left_out": tally["leftOut"]}
    # A night need not reach all that is new to it; nothing older may be missing.
    unknown = trained - len(learnt | held_out)
    assert unknown <= 2 * max(row["said"] for row in nights), f"{unknown} were never learnt"
    return counts


def summary(said, nights, counts):
    """First and last nights side by side."""
    def median(rows, key):
        return statistics.median(row[key] for row in rows)

    # On most days something is said: those nights are compared.
    held = [row for row in nights if row["said"] > 0]
    size = min(30, len(held) // 3)
    early, late = held[len(held) // 18:][:size], held[-size:]
    quiet = [row for row in nights if row["said"] == 0]
    result = {"nights": len(nights), **counts}
    for key in ("seconds", "processor_seconds", "peak_bytes"):
        result[key + "_early"], result[key + "_late"] = median(early, key), median(late, key)
        result[key + "_most"] = max(row[key] for row in nights)
        if quiet:
            result[key + "_quiet_most"] = max(row[key] for row in quiet)
    middle = nights[len(nights) // 2]
    for key in ("data_bytes", "log_bytes", "adapters_bytes", "logs_bytes", "versions"):
        result[key + "_middle"], result[key] = middle[key], nights[-1][key]
    result["accepted"] = sum("promoted" in row["says"] for row in nights)
    result["rejected"] = sum(row["exit"] == 2 for row in nights)
    result["not_needed"] = sum(row["exit"] == 0 and "promoted" not in row["says"] for row in nights)
    return result


def check_bounds(result, nights):
    """What must not grow has not."""
    failed = [row for row in nights if row["exit"] not in (0, 2)]
    assert not failed, failed[:3]
    # A night reads the whole log, for which a millisecond an exchange is plenty.
    most = 1.5 * result["processor_seconds_early"] + 0.001 * result["said"]
    assert result["processor_seconds_late"] <= most, "nights become slower"
    assert result["peak_bytes_late"] <= 1.25 * result["peak_bytes_early"], "nights take more memory"
    # 365 nights' worth of the list of nights and of the schedule's logs.
    assert result["logs_bytes"] <= 5_000_000, "logs grow"
    assert result["versions"] <= 31, "versions are never removed"


def main():
    folder = os.path.abspath(options.folder) if options.folder else tempfile.mkdtemp()
    try:
        model = options.model
        if model is None:
            model = os.path.join(folder, "tiny")
            tiny_model.write_with_usual_tokenizer(model)
        said, nights = year(folder, model)
        counts = check_nothing_lost(folder, said, nights)
        result = summary(said, nights, counts)
        result["command"] = " ".join(["year.py", f"--nights {options.nights} --seed {options.seed}"] + flags)
        if options.out:
            with open(options.out, "w") as file:
                for row in nights[::max(1, options.nights // 36)]:
                    file.write(json.dumps({
                        key: round(value, 3) if isinstance(value, float) else value
                        for key, value in row.items() if key != "says"}) + "\n")
                file.write(json.dumps({"summary": result}) + "\n")
        for key, value in result.items():
            print(f"{key:28} {round(value, 2) if isinstance(value, float) else value}")
        check_bounds(result, nights)
    finally:
        if not options.folder:
            shutil.rmtree(folder)


main()
